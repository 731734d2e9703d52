/* The Peterborough bond with two cohorts matched ten to one, written for this study alone: one thread, one man after another.
 *
 * A man's convictions are a Poisson process while he is unsettled. Of their dates nothing is asked but the window, so the process
 * is run on the pace that has accumulated by the edges of the windows; the two arms share every gap. The month in which a man
 * enters changes nothing here, since every window ends before the horizon, and is not drawn. */
#include "streams.h"

#define HISTORY 6
#define HORIZON 12
#define MONTHS (HISTORY + HORIZON)
#define WAVES 2
#define WINDOWS 3 /* 12 months, 6 months, and whether anything happened in 6 */

/* What Python hands over, in this order, for each replication. */
enum {
    MEN_1, MEN_2, UNSETTLED, SETTLES, UNSETTLES, VARIANCE, RATE, LATER, RATIO, DRAWN, DRAWN_MONTHS, N_GIVEN
};
enum {
    REDUCTION, REDUCTION_ERROR, REDUCTION_TRUTH, SIX, SIX_ERROR, SIX_TRUTH, SHARE, SHARE_ERROR, SHARE_TRUTH, FIRST_MEN, SECOND_MEN,
    PAID_1, PAID_2, PAID_ALL, NET, NPV, EARLIER, ELSEWHERE, ELSEWHERE_BEFORE, N_FOUND
};

/* The study's constants: who is compared with, and the contract. */
#define PER_PERSON 10
#define CANDIDATES 1000
#define EARLIER_MEN 1088
static const double TRIGGER = 0.10, TRIGGER_ALL = 0.075, PRICE = 32.2e6, PRICE_ALL = 64.4e6, MOST = 8e6;
static const double DISCOUNT_RATE = 0.035, MONTH_PAID[WAVES] = {47, 82};

typedef struct {
    double weight, weight_squares, sum[WINDOWS], squares[WINDOWS];
} sums;

typedef struct {
    gamma_shape shape;
    double variance, settles, unsettles, unsettled, rate, later;
} prison;

typedef struct {
    double before, to_6, to_12; /* the pace that accumulates in each window, for a man of factor 1 */
} exposure;

/* Walk through 18 months, a stay at a time: a stay lasts whole months, with the same chance to end in each. A bit for each month in
 * which he is unsettled. */
static inline exposure walk(const prison *p, int is_unsettled, stream *s) {
    uint32_t unsettled = 0;
    int month = 0;
    while (month < MONTHS) {
        double stays = exponential(s) * (is_unsettled ? p->settles : p->unsettles);
        int until = stays < MONTHS - month - 1 ? month + 1 + (int)stays : MONTHS;
        if (is_unsettled) unsettled |= (1u << until) - (1u << month);
        is_unsettled = !is_unsettled, month = until;
    }
    int before = __builtin_popcount(unsettled & ((1u << HISTORY) - 1));
    int to_6 = __builtin_popcount(unsettled >> HISTORY & 63u), to_12 = __builtin_popcount(unsettled >> (HISTORY + 6));
    exposure found = {before * p->rate, to_6 * p->rate, to_12 * p->rate * p->later};
    return found;
}

typedef struct {
    int before, in_6, in_12;
} convictions;

static inline void add_up(sums *of, const convictions *c, double weight) {
    double x[WINDOWS] = {c->in_12, c->in_6, c->in_6 > 0};
    for (int w = 0; w < WINDOWS; w++) of->sum[w] += weight * x[w], of->squares[w] += weight * x[w] * x[w];
    of->weight += weight, of->weight_squares += weight * weight;
}

/* One man: where he begins is given; his convictions with a ratio of 1, and with another one on the same gaps. */
static inline convictions live(const prison *p, int is_unsettled, stream *s, double ratio, convictions *other) {
    exposure pace = walk(p, is_unsettled, s);
    double factor = gamma_of(&p->shape, s) * p->variance;
    double entry = pace.before * factor, six = entry + pace.to_6 * factor, twelve = six + pace.to_12 * factor;
    double its_six = entry + ratio * pace.to_6 * factor, its_twelve = its_six + ratio * pace.to_12 * factor;
    double last = twelve > its_twelve ? twelve : its_twelve, at = 0.0;
    convictions found = {0, 0, 0}, its = {0, 0, 0};
    for (at = exponential(s); at < last; at += exponential(s)) {
        if (at < entry)
            found.before++, its.before++;
        else {
            found.in_6 += at < six, found.in_12 += at < twelve;
            its.in_6 += at < its_six, its.in_12 += at < its_twelve;
        }
    }
    if (other) *other = its;
    return found;
}

static inline int begins(const prison *p, stream *s) { return unit(word(s)) < p->unsettled; }

static double mean_of(const sums *of, int w) { return of->sum[w] / of->weight; }

static double variance_of_mean(const sums *of, int w) {
    double m = mean_of(of, w), share = of->weight_squares / (of->weight * of->weight);
    return share * (of->squares[w] / of->weight - m * m) / (1 - share);
}

static void add(sums *to, const sums *of) {
    to->weight += of->weight, to->weight_squares += of->weight_squares;
    for (int w = 0; w < WINDOWS; w++) to->sum[w] += of->sum[w], to->squares[w] += of->squares[w];
}

static void reduction(const sums *with, const sums *like, const sums *all, const sums *twins, int w, double *found) {
    double ratio = mean_of(with, w) / mean_of(like, w);
    found[0] = 1 - ratio;
    found[1] = sqrt(variance_of_mean(with, w) + ratio * ratio * variance_of_mean(like, w)) / mean_of(like, w);
    found[2] = 1 - mean_of(all, w) / mean_of(twins, w);
}

static void pay(const double *given, double *found) {
    double paid[WAVES], left = MOST, v = pow(1 + DISCOUNT_RATE, -1.0 / 12);
    for (int wave = 0; wave < WAVES; wave++) {
        double fall = found[FIRST_MEN + wave], due = fall >= TRIGGER ? PRICE * fall : 0;
        paid[wave] = due < left ? due : left, left -= paid[wave];
    }
    int is_any = paid[0] + paid[1] > 0;
    double due = !is_any && found[REDUCTION] >= TRIGGER_ALL ? PRICE_ALL * found[REDUCTION] : 0;
    found[PAID_1] = paid[0], found[PAID_2] = paid[1], found[PAID_ALL] = due < left ? due : left;
    found[NET] = paid[0] + paid[1] + found[PAID_ALL] - given[DRAWN];
    double even = (1 - pow(v, given[DRAWN_MONTHS])) / (1 - v) / given[DRAWN_MONTHS];
    found[NPV] = paid[0] * pow(v, MONTH_PAID[0]) + (paid[1] + found[PAID_ALL]) * pow(v, MONTH_PAID[1]) - given[DRAWN] * even;
}

static void one_replication(uint64_t seed, uint64_t r, const double *given, double *found) {
    prison p = {shape_of(1 / given[VARIANCE]), given[VARIANCE], -1 / log1p(-given[SETTLES]), -1 / log1p(-given[UNSETTLES]),
                given[UNSETTLED], given[RATE], given[LATER]};
    sums with_all = {0}, twins_all = {0}, compared_all = {0}, like_all = {0}, elsewhere = {0}, earlier = {0};
    double elsewhere_before = 0;
    for (int wave = 0; wave < WAVES; wave++) {
        uint64_t of_men = key_of(seed, r, 10 * wave + 1), of_like = key_of(seed, r, 10 * wave + 2);
        uint64_t of_others = key_of(seed, r, 10 * wave + 3);
        sums with = {0}, twins = {0}, compared = {0}, like = {0};
        int64_t n = (int64_t)given[MEN_1 + wave];
        for (int64_t i = 0; i < n; i++) {
            stream s = stream_of(of_men, (uint64_t)i);
            int state = begins(&p, &s), n_found = 0;
            convictions its, his = live(&p, state, &s, given[RATIO], &its), of_like_men[PER_PERSON];
            add_up(&with, &its, 1), add_up(&twins, &his, 1);
            for (int64_t place = 0; place < PER_PERSON; place++) {
                stream c = stream_of(of_like, (uint64_t)(i * PER_PERSON + place));
                int64_t tried = 1;
                int is_found = begins(&p, &c) == state;
                while (!is_found && tried++ < CANDIDATES) is_found = begins(&p, &c) == state;
                if (is_found) of_like_men[n_found++] = live(&p, state, &c, 1, 0);
            }
            for (int x = 0; x < n_found; x++) add_up(&like, &of_like_men[x], 1.0 / n_found);
            if (n_found) add_up(&compared, &its, 1);
            stream o = stream_of(of_others, (uint64_t)i);
            int begun = begins(&p, &o);
            convictions another = live(&p, begun, &o, 1, 0);
            add_up(&elsewhere, &another, 1), elsewhere_before += another.before;
        }
        found[FIRST_MEN + wave] = 1 - mean_of(&compared, 0) / mean_of(&like, 0);
        add(&with_all, &with), add(&twins_all, &twins), add(&compared_all, &compared), add(&like_all, &like);
    }
    uint64_t of_earlier = key_of(seed, r, 99);
    for (int64_t i = 0; i < EARLIER_MEN; i++) {
        stream s = stream_of(of_earlier, (uint64_t)i);
        int begun = begins(&p, &s);
        convictions his = live(&p, begun, &s, 1, 0);
        add_up(&earlier, &his, 1);
    }
    reduction(&compared_all, &like_all, &with_all, &twins_all, 0, found + REDUCTION);
    reduction(&compared_all, &like_all, &with_all, &twins_all, 1, found + SIX);
    found[SHARE] = mean_of(&like_all, 2) - mean_of(&compared_all, 2);
    found[SHARE_ERROR] = sqrt(variance_of_mean(&like_all, 2) + variance_of_mean(&compared_all, 2));
    found[SHARE_TRUTH] = mean_of(&twins_all, 2) - mean_of(&with_all, 2);
    found[EARLIER] = mean_of(&earlier, 0), found[ELSEWHERE] = mean_of(&elsewhere, 0);
    found[ELSEWHERE_BEFORE] = elsewhere_before / elsewhere.weight;
    pay(given, found);
}

/* given: (r, N_GIVEN); found: (r, N_FOUND) filled. Returns 0: nobody can meet more than there is room for. */
int run(uint64_t seed, int64_t n, const double *given, double *found) {
    prepare_streams();
    for (int64_t r = 0; r < n; r++) one_replication(seed, (uint64_t)r, given + r * N_GIVEN, found + r * N_FOUND);
    return 0;
}
