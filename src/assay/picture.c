/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/picture.h"

#include <png.h>

#define SCALE 8 /* dots of the picture for one of the font */
#define MARGIN 20
#define PEN 4
#define PITCH (6 * SCALE) /* from digit to digit */
#define SHAPE 56          /* dots across */
#define GAP 24
#define NOISE_ONE 24 /* in so many dots one is a speck */

/* 5 by 7 dots, a row a byte. */
static const unsigned char font[10][7] = {
    {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}, {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
    {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}, {0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e},
    {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}, {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
    {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}, {0x1f, 0x01, 0x01, 0x02, 0x02, 0x04, 0x04},
    {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}, {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
};

/* Colours that have one name. */
static const struct colour {
    const char *name;
    png_color value;
} colours[] = {
    {"red", {220, 30, 30}},
    {"green", {20, 150, 50}},
    {"blue", {40, 80, 220}},
    {"yellow", {240, 210, 20}},
};
#define COLOURS (sizeof(colours) / sizeof(colours[0]))

enum ink { INK_PAPER, INK_SPECK, INK_DIGIT, INK_SHAPE, INKS };
typedef unsigned char canvas[PICTURE_HEIGHT][PICTURE_WIDTH];

static bool is_set(const unsigned char *rows, int x, int y)
{
    return x >= 0 && x < 5 && y >= 0 && y < 7 && (rows[y] >> (4 - x) & 1) != 0;
}

/* A round pen's stroke from one dot of the font in a direction. */
static void put_stroke(canvas dots, int x, int y, int dx, int dy)
{
    for (int step = 0; step <= SCALE; step++) {
        for (int i = -PEN; i <= PEN; i++) {
            for (int j = -PEN; j <= PEN; j++) {
                if (i * i + j * j <= PEN * PEN + PEN) {
                    dots[y + dy * step + j][x + dx * step + i] = INK_DIGIT;
                }
            }
        }
    }
}

/* Dots that touch are joined: what is made of squares is hard to read for machines. */
static void put_digit(canvas dots, int left, char digit)
{
    static const int ways[4][2] = {{1, 0}, {0, 1}, {1, 1}, {-1, 1}};
    const unsigned char *rows = font[digit - '0'];

    for (int i = 0; i < 5 * 7; i++) {
        int x = i % 5, y = i / 5;
        for (int k = 0; k < 4 && is_set(rows, x, y); k++) {
            int dx = ways[k][0], dy = ways[k][1];
            bool round = dx * dy != 0 && (is_set(rows, x + dx, y) || is_set(rows, x, y + dy));
            if (is_set(rows, x + dx, y + dy) && !round) {
                put_stroke(dots, left + x * SCALE, MARGIN + PEN + y * SCALE, dx, dy);
            }
        }
    }
}

/* A disc, a square or a triangle. */
static void put_shape(canvas dots, unsigned kind)
{
    for (int i = 0; i < SHAPE * SHAPE; i++) {
        int x = i % SHAPE, y = i / SHAPE, dx = 2 * x - SHAPE, dy = 2 * y - SHAPE;
        bool in = kind == 0   ? dx * dx + dy * dy <= SHAPE * SHAPE
                  : kind == 1 ? true
                              : (dx < 0 ? -dx : dx) <= y;
        if (in) {
            dots[MARGIN + y][MARGIN + x] = INK_SHAPE;
        }
    }
}

static void draw(canvas dots, struct stat_random *r, struct picture *p)
{
    for (unsigned i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++) {
        dots[i / PICTURE_WIDTH][i % PICTURE_WIDTH] =
            stat_below(r, NOISE_ONE) == 0 ? INK_SPECK : INK_PAPER;
    }
    put_shape(dots, stat_below(r, 3));
    for (int i = 0; i < PICTURE_DIGITS; i++) {
        p->digits[i] = (char)('0' + stat_below(r, 10));
        put_digit(dots, MARGIN + SHAPE + GAP + i * PITCH, p->digits[i]);
    }
    p->digits[PICTURE_DIGITS] = '\0';
}

static void take(png_structp png, png_bytep bytes, size_t n)
{
    buf_add(png_get_io_ptr(png), str_slice((const char *)bytes, n));
}

static void flush(png_structp png)
{
    (void)png;
}

/* False when libpng gave up, which it does by a jump. */
static bool encode(png_structp png, png_infop info, canvas dots, png_color colour)
{
    png_color inks[INKS] = {{255, 255, 255}, {226, 226, 230}, {20, 20, 28}, colour};

    if (setjmp(png_jmpbuf(png))) {
        return false;
    }
    png_set_IHDR(png, info, PICTURE_WIDTH, PICTURE_HEIGHT, 2, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, inks, INKS);
    png_set_compression_level(png, 9);
    png_write_info(png, info);
    png_set_packing(png);
    for (unsigned y = 0; y < PICTURE_HEIGHT; y++) {
        png_write_row(png, dots[y]);
    }
    png_write_end(png, info);
    return true;
}

bool picture_make(struct buf *out, struct stat_random *r, struct picture *p)
{
    const struct colour *colour = &colours[stat_below(r, COLOURS)];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    canvas dots;

    draw(dots, r, p);
    p->colour = colour->name;
    if (info != NULL) {
        png_set_write_fn(png, out, take, flush);
    }
    bool ok = info != NULL && encode(png, info, dots, colour->value) && !out->overflow;
    png_destroy_write_struct(&png, &info);
    return ok;
}
