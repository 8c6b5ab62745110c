/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/wheel.h"

#define SLOT_MS 16

static struct wheel wheel;
static int64_t now;

struct alarm {
    struct timer timer;
    int64_t fired_at;
    int fired;
    struct alarm *other;
    int64_t again_ms;
};

static void ring(struct timer *t)
{
    struct alarm *a = CONTAINER(t, struct alarm, timer);
    a->fired++;
    a->fired_at = now;
    if (a->other != NULL) {
        wheel_cancel(&wheel, &a->other->timer);
    }
    if (a->again_ms > 0) {
        wheel_set(&wheel, t, now + a->again_ms);
    }
}

static struct alarm alarm_new(void)
{
    return (struct alarm){.timer.fire = ring};
}

static int start_at(void **state)
{
    (void)state;
    now = 1000003;
    wheel_init(&wheel, now);
    return 0;
}

static void run_to(int64_t until)
{
    while (now < until) {
        now++;
        wheel_run(&wheel, now);
    }
}

static void fires_once_never_early_one_slot_late_at_most(void **state)
{
    static const int64_t waits[] = {-50, 0,  1,   12,    13,    14,    15,
                                    16,  17, 100, 16383, 16384, 16385, 50000};
    enum { N = sizeof(waits) / sizeof(waits[0]) };
    struct alarm alarms[N];
    (void)state;
    int64_t start = now;
    for (size_t i = 0; i < N; i++) {
        alarms[i] = alarm_new();
        wheel_set(&wheel, &alarms[i].timer, start + waits[i]);
    }
    assert_int_equal(wheel.count, N);
    run_to(start + 60000);
    for (size_t i = 0; i < N; i++) {
        int64_t due = waits[i] > 0 ? start + waits[i] : start;
        assert_int_equal(alarms[i].fired, 1);
        assert_true(alarms[i].fired_at >= due);
        assert_true(alarms[i].fired_at <= due + SLOT_MS);
    }
    assert_int_equal(wheel.count, 0);
}

static void setting_again_moves_and_cancelling_ends(void **state)
{
    (void)state;
    struct alarm moved = alarm_new(), gone = alarm_new(), never = alarm_new();
    int64_t start = now;
    wheel_set(&wheel, &moved.timer, start + 50);
    wheel_set(&wheel, &moved.timer, start + 500);
    wheel_set(&wheel, &gone.timer, start + 50);
    assert_int_equal(wheel.count, 2);
    wheel_cancel(&wheel, &gone.timer);
    wheel_cancel(&wheel, &gone.timer);
    wheel_cancel(&wheel, &never.timer);
    assert_int_equal(wheel.count, 1);
    run_to(start + 499);
    assert_int_equal(moved.fired, 0);
    run_to(start + 1000);
    assert_int_equal(moved.fired, 1);
    assert_int_equal(gone.fired, 0);
    assert_int_equal(wheel.count, 0);
}

static void a_callback_may_set_and_cancel(void **state)
{
    (void)state;
    struct alarm victim = alarm_new(), killer = alarm_new(), steady = alarm_new();
    int64_t start = now;
    killer.other = &victim;
    steady.again_ms = 100;
    /* Same slot, the killer first: the victim is already in the round that is being fired. */
    wheel_set(&wheel, &killer.timer, start + 40);
    wheel_set(&wheel, &victim.timer, start + 40);
    wheel_set(&wheel, &steady.timer, start + 100);
    run_to(start + 1200);
    assert_int_equal(killer.fired, 1);
    assert_int_equal(victim.fired, 0);
    assert_in_range(steady.fired, 10, 12);
    assert_int_equal(wheel.count, 1);
}

static void a_long_sleep_loses_nothing(void **state)
{
    (void)state;
    struct alarm near = alarm_new(), far = alarm_new(), later = alarm_new();
    int64_t start = now;
    wheel_set(&wheel, &near.timer, start + 10);
    wheel_set(&wheel, &far.timer, start + 90000);
    wheel_set(&wheel, &later.timer, start + 100050);
    now = start + 100000;
    wheel_run(&wheel, now);
    assert_int_equal(near.fired, 1);
    assert_int_equal(far.fired, 1);
    assert_int_equal(later.fired, 0);
    run_to(start + 100050 + SLOT_MS);
    assert_int_equal(later.fired, 1);
    assert_int_equal(near.fired, 1);
}

static void the_wait_ends_where_a_timer_is_due(void **state)
{
    (void)state;
    struct alarm a = alarm_new();
    int64_t start = now;
    assert_int_equal(wheel_wait_ms(&wheel, now, 5000), 5000);
    wheel_set(&wheel, &a.timer, start + 200);
    assert_in_range(wheel_wait_ms(&wheel, start, 5000), 200, 200 + SLOT_MS);
    assert_int_equal(wheel_wait_ms(&wheel, start, 50), 50);
    /* A turn that took long: the wheel has not run since, and the timer is near or past. */
    assert_in_range(wheel_wait_ms(&wheel, start + 190, 50), 10, 10 + SLOT_MS);
    assert_int_equal(wheel_wait_ms(&wheel, start + 900, 50), 0);
    /* Who sleeps as told meets the timer. */
    now = start + 190 + wheel_wait_ms(&wheel, start + 190, 50);
    wheel_run(&wheel, now);
    assert_int_equal(a.fired, 1);
    assert_int_equal(wheel_wait_ms(&wheel, now, 50), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fires_once_never_early_one_slot_late_at_most, start_at),
        cmocka_unit_test_setup(setting_again_moves_and_cancelling_ends, start_at),
        cmocka_unit_test_setup(a_callback_may_set_and_cancel, start_at),
        cmocka_unit_test_setup(a_long_sleep_loses_nothing, start_at),
        cmocka_unit_test_setup(the_wait_ends_where_a_timer_is_due, start_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
