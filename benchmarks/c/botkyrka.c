/* Sick leave in Botkyrka and Örnsköldsvik, written for this study alone: one thread, one person after another.
 *
 * An employee has short and long spells of sick leave, for a year before the support and three years with and without it. A year
 * before and after gives the evaluator's estimates, and those what is paid. The two arms share every gap and every length. */
#include <string.h>

#include "streams.h"

#define HISTORY 12
#define HORIZON 36
#define MONTHS (HISTORY + HORIZON)
#define KINDS 2
#define MOST_SPELLS 2048
#define PARTS 5 /* the year before; months 0-11, 12-16, 17-23, 24-35 after */
#define CELLS 128
static const double FIRST[PARTS + 1] = {0, 12, 24, 29, 36, 48};
static const double DAYS_PER_MONTH = 365.25 / 12;

/* What Python hands over, in this order, for each replication. */
enum {
    EMPLOYEES, VARIANCE, RATE_SHORT, RATE_LONG, TREND, JAN, FEB, JUL, YEAR_BEFORE, YEAR_1, YEAR_2, YEAR_3, RATIO, RAMP,
    MEAN_SHORT, SD_SHORT, MEAN_LONG, SD_LONG, PRICE_DAY, PRICE_LONG, DRAWN, N_GIVEN
};
enum {
    FALL, FALL_ERROR, FALL_TRUTH, YEAR, YEAR_ERROR, YEAR_TRUTH, DAYS, DAYS_ERROR, DAYS_TRUTH, SAVING, SAVING_ERROR, SAVING_TRUTH,
    BACK, REFUND, NET, NPV, PAYER_NET, PAYER_NPV, N_FOUND
};

typedef struct {
    double reached[MONTHS + 1]; /* pace accumulated before each month */
    double pace[MONTHS];
    double cells_per_pace;
    int guide[CELLS + 1]; /* a month that is not after the one in which the pace is reached */
} clock_of;

static void fill_clock(clock_of *c) {
    c->reached[0] = 0.0;
    for (int m = 0; m < MONTHS; m++) c->reached[m + 1] = c->reached[m] + c->pace[m];
    c->cells_per_pace = CELLS / c->reached[MONTHS];
    int m = 0;
    for (int i = 0; i <= CELLS; i++) {
        while (m < MONTHS - 1 && c->reached[m + 1] <= i / c->cells_per_pace) m++;
        c->guide[i] = m;
    }
}

/* The date at which a pace is reached, or the end. */
static inline double date_of(const clock_of *c, double pace) {
    if (pace >= c->reached[MONTHS]) return MONTHS;
    int m = c->guide[(int)(pace * c->cells_per_pace)];
    while (pace >= c->reached[m + 1]) m++;
    return m + (pace - c->reached[m]) / c->pace[m];
}

static inline double pace_at(const clock_of *c, double date) {
    int m = (int)date;
    return m >= MONTHS ? c->reached[MONTHS] : c->reached[m] + c->pace[m] * (date - m);
}

static const signed char PART[MONTHS] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                         2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};

/* Add the days from one date to another to the parts in which they lie. */
static inline void add_days(double *of, double from, double to, double price) {
    if (to > MONTHS) to = MONTHS;
    if (from >= to) return;
    int part = PART[(int)from];
    while (to > FIRST[part + 1]) {
        of[part] += (FIRST[part + 1] - from) * DAYS_PER_MONTH * price;
        from = FIRST[++part];
    }
    of[part] += (to - from) * DAYS_PER_MONTH * price;
}

typedef struct {
    double days[PARTS], cost[PARTS];
} person;

typedef struct {
    int drawn;
    double gap[MOST_SPELLS], months[MOST_SPELLS];
} shared_draws;

/* Let spells of one kind begin, from a date and a pace, until another date; says how many began before it. */
static inline int spells(const clock_of *c, int kind, shared_draws *with, stream *s, const gamma_shape *shape, const double *g,
                         double per_person, int number, double *date, double until, person *p) {
    for (;; number++) {
        if (number == with->drawn) {
            if (number == MOST_SPELLS) return -1;
            with->gap[number] = exponential(s) * per_person;
            double days = kind == 0 ? gamma_of(shape, s) * g[0] : exp(g[0] + g[1] * normal(s));
            with->months[number] = days / DAYS_PER_MONTH;
            with->drawn++;
        }
        double begins = date_of(c, pace_at(c, *date) + with->gap[number]);
        if (begins >= until) return number;
        double ends = begins + with->months[number], counts = begins + 14 / DAYS_PER_MONTH;
        add_days(p->days, begins, ends < counts ? ends : counts, 1.0);
        if (kind == 0)
            add_days(p->cost, begins, ends, g[2]);
        else
            p->cost[PART[(int)begins]] += g[2];
        *date = ends;
        if (ends >= until) return number + 1;
    }
}

typedef struct {
    double after, after_squared, before, before_squared, product, without;
} sums;

static inline void add_up(sums *of, double before, double after, double without) {
    of->after += after, of->after_squared += after * after, of->before += before, of->before_squared += before * before;
    of->product += before * after, of->without += without;
}

/* Estimate by the year before, its standard error and the truth; as a share of what would have been, or in all. */
static void estimate(const sums *of, double n, double months, int is_total, double *found) {
    double scale = months / HISTORY, after = of->after / n, before = scale * of->before / n, without = of->without / n;
    double v_after = (of->after_squared / n - after * after) / (n - 1);
    double v_before = (scale * scale * of->before_squared / n - before * before) / (n - 1);
    double both = (scale * of->product / n - before * after) / (n - 1), ratio = after / before;
    if (is_total) {
        found[0] = n * (before - after);
        found[1] = n * sqrt(v_after + v_before - 2 * both);
        found[2] = n * (without - after);
    } else {
        found[0] = 1 - ratio;
        found[1] = sqrt(v_after + ratio * ratio * v_before - 2 * ratio * both) / before;
        found[2] = 1 - after / without;
    }
}

/* An event without a later spell in the history keeps its gap: what is left of it is spent after entry, at the pace of the arm. */
static int one_replication(uint64_t seed, uint64_t r, const double *given, double *found) {
    static clock_of with[KINDS], without[KINDS];
    double n = given[EMPLOYEES], rate[KINDS] = {given[RATE_SHORT] / 12, given[RATE_LONG] / 12};
    for (int m = 0; m < MONTHS; m++) {
        int after = m - HISTORY, month = (after + 9 + 12) % 12;
        double year = given[YEAR_BEFORE + m / 12], trend = exp(given[TREND] * (after + 0.5) / 12);
        double season = month == 0 ? given[JAN] : month == 1 ? given[FEB] : month == 6 ? given[JUL] : 1.0;
        double change = after < 0 ? 1.0 : pow(given[RATIO], 1 - exp(-(after + 0.5) / given[RAMP]));
        without[0].pace[m] = rate[0] * year * trend * season, without[1].pace[m] = rate[1] * year;
        for (int k = 0; k < KINDS; k++) with[k].pace[m] = without[k].pace[m] * change;
    }
    for (int k = 0; k < KINDS; k++) fill_clock(&with[k]), fill_clock(&without[k]);
    gamma_shape health = shape_of(1 / given[VARIANCE]);
    double per_day = given[MEAN_SHORT] / given[SD_SHORT], spread = log1p(pow(given[SD_LONG] / given[MEAN_LONG], 2));
    gamma_shape shape = shape_of(per_day * per_day);
    double of_kind[KINDS][3] = {{given[SD_SHORT] * given[SD_SHORT] / given[MEAN_SHORT], 0, given[PRICE_DAY]},
                                {log(given[MEAN_LONG]) - spread / 2, sqrt(spread), given[PRICE_LONG]}};
    uint64_t of_health = key_of(seed, r, 1), of_spells[KINDS] = {key_of(seed, r, 2), key_of(seed, r, 3)};
    static shared_draws draws;
    sums fall = {0}, year = {0}, days = {0}, saving = {0};
    double saved[3] = {0};
    for (int64_t i = 0; i < (int64_t)n; i++) {
        stream s = stream_of(of_health, (uint64_t)i);
        double factor = gamma_of(&health, &s) * given[VARIANCE];
        if (factor < 1e-290) factor = 1e-290;
        person served = {{0}, {0}}, twin;
        person both = {{0}, {0}};
        int next[KINDS];
        double date[KINDS], begun[KINDS];
        memset(&twin, 0, sizeof twin);
        for (int k = 0; k < KINDS; k++) {
            stream of = stream_of(of_spells[k], (uint64_t)i);
            draws.drawn = 0, date[k] = 0.0;
            next[k] = spells(&without[k], k, &draws, &of, &shape, of_kind[k], 1 / factor, 0, &date[k], HISTORY, &both);
            if (next[k] < 0) return 1;
            begun[k] = date[k];
            /* The gap that began before entry is the same in both arms up to entry, since their pace is. */
            int done = spells(&with[k], k, &draws, &of, &shape, of_kind[k], 1 / factor, next[k], &date[k], MONTHS, &served);
            int other = spells(&without[k], k, &draws, &of, &shape, of_kind[k], 1 / factor, next[k], &begun[k], MONTHS, &twin);
            if (done < 0 || other < 0) return 1;
        }
        for (int part = 0; part < PARTS; part++) {
            served.days[part] += both.days[part], served.cost[part] += both.cost[part];
            twin.days[part] += both.days[part], twin.cost[part] += both.cost[part];
        }
        double in_12 = served.days[1], in_17 = in_12 + served.days[2], in_36 = in_17 + served.days[3] + served.days[4];
        double twin_12 = twin.days[1], twin_17 = twin_12 + twin.days[2], twin_36 = twin_17 + twin.days[3] + twin.days[4];
        double cost = served.cost[1] + served.cost[2] + served.cost[3] + served.cost[4];
        double twin_cost = twin.cost[1] + twin.cost[2] + twin.cost[3] + twin.cost[4];
        add_up(&fall, served.days[0], in_36, twin_36), add_up(&year, served.days[0], in_12, twin_12);
        add_up(&days, served.days[0], in_17, twin_17), add_up(&saving, served.cost[0], cost, twin_cost);
        saved[0] += twin.cost[1] - served.cost[1];
        saved[1] += twin.cost[2] + twin.cost[3] - served.cost[2] - served.cost[3];
        saved[2] += twin.cost[4] - served.cost[4];
    }
    estimate(&fall, n, 36, 0, found + FALL), estimate(&year, n, 12, 0, found + YEAR);
    estimate(&days, n, 17, 1, found + DAYS), estimate(&saving, n, 36, 1, found + SAVING);
    double drawn = given[DRAWN], back = found[SAVING] < 0 ? 0 : found[SAVING] > drawn ? drawn : found[SAVING];
    double monthly = pow(1.03, -1.0 / 12), at_end = pow(1.03, -3), even = (1 - pow(monthly, HORIZON)) / (1 - monthly);
    found[BACK] = back;
    found[REFUND] = found[FALL] <= 0 ? 0.75 * 0.5 * drawn : 0;
    found[NET] = found[BACK] + found[REFUND] - drawn;
    found[NPV] = (found[BACK] + found[REFUND]) * at_end - drawn * even / HORIZON;
    found[PAYER_NET] = saved[0] + saved[1] + saved[2] - back;
    found[PAYER_NPV] = -back * at_end;
    for (int y = 0; y < 3; y++) found[PAYER_NPV] += saved[y] * pow(1.03, -(y + 0.5));
    return 0;
}

/* given: (r, N_GIVEN); found: (r, N_FOUND) filled. Returns 1 if somebody had more spells than there is room for. */
int run(uint64_t seed, int64_t n, const double *given, double *found) {
    prepare_streams();
    for (int64_t r = 0; r < n; r++)
        if (one_replication(seed, (uint64_t)r, given + r * N_GIVEN, found + r * N_FOUND)) return 1;
    return 0;
}
