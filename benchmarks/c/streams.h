/* Random numbers that begin at an address, and what is drawn from them. Included by the programs beside it. */
#ifndef STREAMS_H
#define STREAMS_H

#include <math.h>
#include <stdint.h>

#define LAYERS 256

/* Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", doi:10.1145/2660193.2660195 (SplitMix64). */
typedef struct {
    uint64_t at;
} stream;

static inline uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* A replication's key for one purpose; then the stream of each person. */
static inline uint64_t key_of(uint64_t seed, uint64_t replication, uint64_t purpose) {
    return mixed(mixed(mixed(seed + 0x9E3779B97F4A7C15u) ^ replication) + 0xD1342543DE82EF95u * purpose);
}

static inline stream stream_of(uint64_t key, uint64_t person) {
    stream s = {mixed(key ^ (person * 0xDA942042E4DD58B5u))};
    return s;
}

static inline uint64_t word(stream *s) { return mixed(s->at += 0x9E3779B97F4A7C15u); }

static inline double unit(uint64_t w) { return ((double)(w >> 11) + 0.5) * 0x1p-53; }

/* Ziggurats of LAYERS layers (Marsaglia and Tsang 2000, doi:10.18637/jss.v005.i08); tail and area are theirs, for 256. */
static double normal_x[LAYERS + 1], normal_f[LAYERS + 1], exponential_x[LAYERS + 1], exponential_f[LAYERS + 1];
static const double NORMAL_TAIL = 3.6541528853610088, NORMAL_AREA = 0.00492867323399;
static const double EXPONENTIAL_TAIL = 7.69711747013104972, EXPONENTIAL_AREA = 0.0039496598225815571993;

static void prepare_streams(void) {
    double f = exp(-0.5 * NORMAL_TAIL * NORMAL_TAIL);
    normal_x[0] = NORMAL_AREA / f, normal_x[1] = NORMAL_TAIL, normal_x[LAYERS] = 0.0;
    for (int i = 2; i < LAYERS; i++) {
        normal_x[i] = sqrt(-2.0 * log(NORMAL_AREA / normal_x[i - 1] + f));
        f = exp(-0.5 * normal_x[i] * normal_x[i]);
    }
    f = exp(-EXPONENTIAL_TAIL);
    exponential_x[0] = EXPONENTIAL_AREA / f, exponential_x[1] = EXPONENTIAL_TAIL, exponential_x[LAYERS] = 0.0;
    for (int i = 2; i < LAYERS; i++) {
        exponential_x[i] = -log(EXPONENTIAL_AREA / exponential_x[i - 1] + f);
        f = exp(-exponential_x[i]);
    }
    for (int i = 0; i <= LAYERS; i++) {
        normal_f[i] = exp(-0.5 * normal_x[i] * normal_x[i]);
        exponential_f[i] = exp(-exponential_x[i]);
    }
}

static inline double exponential(stream *s) {
    double beyond = 0.0;
    for (;;) {
        uint64_t w = word(s);
        int i = (int)(w & (LAYERS - 1));
        double x = unit(w) * exponential_x[i];
        if (__builtin_expect(x < exponential_x[i + 1], 1)) return beyond + x;
        if (i == 0)
            beyond += EXPONENTIAL_TAIL;
        else if (exponential_f[i] + unit(word(s)) * (exponential_f[i + 1] - exponential_f[i]) < exp(-x))
            return beyond + x;
    }
}

static inline double normal(stream *s) {
    for (;;) {
        uint64_t w = word(s);
        int i = (int)(w & (LAYERS - 1));
        double x = (2.0 * unit(w) - 1.0) * normal_x[i];
        if (__builtin_expect(fabs(x) < normal_x[i + 1], 1)) return x;
        if (i == 0) {
            double over, height;
            do {
                over = exponential(s) / NORMAL_TAIL, height = exponential(s);
            } while (2.0 * height < over * over);
            return x < 0 ? -(NORMAL_TAIL + over) : NORMAL_TAIL + over;
        }
        if (normal_f[i] + unit(word(s)) * (normal_f[i + 1] - normal_f[i]) < exp(-0.5 * x * x)) return x;
    }
}

/* A gamma variable of scale 1 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414), with what depends on its shape alone. */
typedef struct {
    double d, c, power;
} gamma_shape;

static gamma_shape shape_of(double shape) {
    double whole = shape < 1.0 ? shape + 1.0 : shape;
    gamma_shape g = {whole - 1.0 / 3.0, 1.0 / sqrt(9.0 * (whole - 1.0 / 3.0)), shape < 1.0 ? 1.0 / shape : 0.0};
    return g;
}

static inline double gamma_of(const gamma_shape *g, stream *s) {
    for (;;) {
        double x = normal(s), v = 1.0 + g->c * x;
        if (v <= 0.0) continue;
        v = v * v * v;
        double u = unit(word(s));
        if (u < 1.0 - 0.0331 * x * x * x * x || log(u) < 0.5 * x * x + g->d * (1.0 - v + log(v)))
            return g->power > 0.0 ? g->d * v * exp(-g->power * exponential(s)) : g->d * v;
    }
}

#endif
