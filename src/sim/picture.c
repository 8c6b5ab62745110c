/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a model of the zoo looks at a picture: dark figures are taken apart by the columns between
 * them, and a digit is told by which of seven places in it are dark. The colour is that of the
 * first dot that has one.
 */
#include <png.h>
#include <stdlib.h>

#include "base/base64.h"
#include "sim/zoo.h"

#define DOTS_MAX (1 << 20)
#define PNG_MAX (1 << 20)

struct view {
    png_image image;
    png_bytep dots; /* three bytes each */
};
struct box {
    size_t left, right, top, bottom; /* right and bottom are behind it */
};

static png_const_bytep dot(const struct view *v, size_t x, size_t y)
{
    return v->dots + 3 * (y * v->image.width + x);
}

static bool is_dark(const struct view *v, size_t x, size_t y)
{
    png_const_bytep p = dot(v, x, y);

    return p[0] < 100 && p[1] < 100 && p[2] < 100;
}

static bool any_dark(const struct view *v, struct box b)
{
    for (size_t y = b.top; y < b.bottom; y++) {
        for (size_t x = b.left; x < b.right; x++) {
            if (is_dark(v, x, y)) {
                return true;
            }
        }
    }
    return false;
}

/* '?': none. */
static char digit_of(const struct view *v, struct box b)
{
    /* Top, middle, bottom, then left and right above the middle and below it; in hundredths. */
    static const unsigned char places[7][2] = {{50, 7},  {50, 50}, {50, 93}, {10, 35},
                                               {90, 35}, {10, 65}, {90, 65}};
    static const char dark[10][8] = {"1011111", "",        "1110100", "1110101", "0000011",
                                     "1011001", "1111011", "1010100", "1111111", "1111101"};
    size_t width = b.right - b.left, height = b.bottom - b.top;
    char seen[8] = "";

    if (2 * width < height) {
        return '1';
    }
    for (size_t i = 0; i < 7; i++) {
        seen[i] =
            is_dark(v, b.left + width * places[i][0] / 100, b.top + height * places[i][1] / 100)
                ? '1'
                : '0';
    }
    for (size_t i = 0; i < 10; i++) {
        if (memcmp(seen, dark[i], sizeof(seen)) == 0) {
            return (char)('0' + i);
        }
    }
    return '?';
}

static void read_digits(const struct view *v, struct buf *out)
{
    struct box b = {0, 0, 0, v->image.height};

    for (size_t x = 0; x < v->image.width; x = b.right) {
        b = (struct box){x, x + 1, 0, v->image.height};
        if (!any_dark(v, b)) {
            continue;
        }
        while (b.right < v->image.width &&
               any_dark(v, (struct box){b.right, b.right + 1, 0, b.bottom})) {
            b.right++;
        }
        while (!any_dark(v, (struct box){b.left, b.right, b.top, b.top + 1})) {
            b.top++;
        }
        while (!any_dark(v, (struct box){b.left, b.right, b.bottom - 1, b.bottom})) {
            b.bottom--;
        }
        buf_add_byte(out, digit_of(v, b));
    }
}

static const char *colour_of(const struct view *v)
{
    for (size_t i = 0; i < (size_t)v->image.width * v->image.height; i++) {
        png_const_bytep p = dot(v, i, 0);
        if (abs(p[0] - p[2]) > 60 || abs(p[1] - p[2]) > 60) {
            return p[0] > 150 && p[1] > 150 ? "yellow"
                   : p[0] > p[1]            ? p[0] > p[2] ? "red" : "blue"
                   : p[1] > p[2]            ? "green"
                                            : "blue";
        }
    }
    return "white";
}

bool picture_look(struct str base64, struct buf *out)
{
    struct view v = {.image = {.version = PNG_IMAGE_VERSION}};
    struct buf png;
    bool seen = false;

    buf_init(&png, PNG_MAX);
    if (base64_read(&png, BASE64_STANDARD, base64) &&
        png_image_begin_read_from_memory(&v.image, png.p, png.n) != 0 &&
        (uint64_t)v.image.width * v.image.height <= DOTS_MAX) {
        v.image.format = PNG_FORMAT_RGB;
        v.dots = malloc(PNG_IMAGE_SIZE(v.image));
        seen = v.dots != NULL && png_image_finish_read(&v.image, NULL, v.dots, 0, NULL) != 0;
    }
    if (seen) {
        read_digits(&v, out);
        buf_addf(out, " %s", colour_of(&v));
    }
    png_image_free(&v.image);
    free(v.dots);
    buf_release(&png);
    return seen;
}
