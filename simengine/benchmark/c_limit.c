/* The limit: what a careful C program makes of the reference workload on this machine.
 *
 * Sixteen persons are walked side by side (eight with AVX2, one without either). The cumulative moves out of every state
 * stand in registers, as thresholds of 32 bits; the state of a person is the index with which a threshold is looked up in
 * such a register. A word of randomness reaches as many thresholds as the number of the next state. No branch depends on a
 * person.
 *
 * Counts are packed: six bits for each of the five states in one word of 32 bits, unpacked before any can overflow.
 */

#include <stdint.h>

#define N_STATES 5
#define BITS 6
#define MOST_PERIODS 63 /* what six bits can count */
#define TABLE 16        /* words of a table, of which one for each state is used */
#define TOGETHER 4      /* groups of lanes in flight, so that one does not wait for the other */

#define INLINED static inline __attribute__((always_inline))

#if defined(__AVX512F__)

#include <immintrin.h>
#define LANES 16
#define INSTRUCTIONS "AVX-512"
typedef __m512i vec;
typedef vec table;

INLINED vec fill(uint32_t x) { return _mm512_set1_epi32((int)x); }
INLINED vec load(const uint32_t *from) { return _mm512_loadu_si512(from); }
INLINED void store(uint32_t *to, vec a) { _mm512_storeu_si512(to, a); }
INLINED vec add(vec a, vec b) { return _mm512_add_epi32(a, b); }
INLINED vec multiply(vec a, vec b) { return _mm512_mullo_epi32(a, b); }
INLINED vec both(vec a, vec b) { return _mm512_and_si512(a, b); }
INLINED vec differ(vec a, vec b) { return _mm512_xor_si512(a, b); }
INLINED vec shift_left(vec a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
INLINED vec shift_right(vec a, int n) { return _mm512_srli_epi32(a, (unsigned)n); }
INLINED table load_table(const uint32_t *from) { return load(from); }
INLINED vec look_up(const table *from, vec index) { return _mm512_permutexvar_epi32(index, *from); }

INLINED vec add_one_where_reached(vec count, vec word, vec threshold) {
    return _mm512_mask_add_epi32(count, _mm512_cmpge_epu32_mask(word, threshold), count, _mm512_set1_epi32(1));
}
INLINED vec add_where_changed(vec count, vec before, vec after, vec amount) {
    return _mm512_mask_add_epi32(count, _mm512_cmpneq_epi32_mask(before, after), count, amount);
}

#elif defined(__AVX2__)

#include <immintrin.h>
#define LANES 8
#define INSTRUCTIONS "AVX2"
typedef __m256i vec;
typedef vec table;

INLINED vec fill(uint32_t x) { return _mm256_set1_epi32((int)x); }
INLINED vec load(const uint32_t *from) { return _mm256_loadu_si256((const __m256i *)from); }
INLINED void store(uint32_t *to, vec a) { _mm256_storeu_si256((__m256i *)to, a); }
INLINED vec add(vec a, vec b) { return _mm256_add_epi32(a, b); }
INLINED vec multiply(vec a, vec b) { return _mm256_mullo_epi32(a, b); }
INLINED vec both(vec a, vec b) { return _mm256_and_si256(a, b); }
INLINED vec differ(vec a, vec b) { return _mm256_xor_si256(a, b); }
INLINED vec shift_left(vec a, int n) { return _mm256_slli_epi32(a, n); }
INLINED vec shift_right(vec a, int n) { return _mm256_srli_epi32(a, n); }
INLINED table load_table(const uint32_t *from) { return load(from); }
INLINED vec look_up(const table *from, vec index) { return _mm256_permutevar8x32_epi32(*from, index); }

INLINED vec add_one_where_reached(vec count, vec word, vec threshold) {
    /* There is no comparison without sign; "the larger of the two is the word" says the same. */
    return _mm256_sub_epi32(count, _mm256_cmpeq_epi32(_mm256_max_epu32(word, threshold), word));
}
INLINED vec add_where_changed(vec count, vec before, vec after, vec amount) {
    return _mm256_add_epi32(count, _mm256_andnot_si256(_mm256_cmpeq_epi32(before, after), amount));
}

#else

/* One person a lane: the compiler knows nothing wider, or nobody has written it here. Tables stay in memory. */
#define LANES 1
#define INSTRUCTIONS "plain C"
typedef uint32_t vec;
typedef struct { uint32_t of[TABLE]; } table;

INLINED vec fill(uint32_t x) { return x; }
INLINED vec load(const uint32_t *from) { return *from; }
INLINED void store(uint32_t *to, vec a) { *to = a; }
INLINED vec add(vec a, vec b) { return a + b; }
INLINED vec multiply(vec a, vec b) { return a * b; }
INLINED vec both(vec a, vec b) { return a & b; }
INLINED vec differ(vec a, vec b) { return a ^ b; }
INLINED vec shift_left(vec a, int n) { return a << n; }
INLINED vec shift_right(vec a, int n) { return a >> n; }
INLINED table load_table(const uint32_t *from) {
    table out;
    for (int x = 0; x < TABLE; x++) out.of[x] = from[x];
    return out;
}
INLINED vec look_up(const table *from, vec index) { return from->of[index]; }
INLINED vec add_one_where_reached(vec count, vec word, vec threshold) { return count + (word >= threshold); }
INLINED vec add_where_changed(vec count, vec before, vec after, vec amount) {
    return count + (amount & -(uint32_t)(before != after));
}

#endif

/* A generator of words in every lane: xoshiro128+ (Blackman and Vigna 2021, doi:10.1145/3460772). */
typedef struct { vec a, b, c, d; } words;

INLINED vec next_word(words *from) {
    vec word = add(from->a, from->d), shifted = shift_left(from->b, 9);
    from->c = differ(from->c, from->a);
    from->d = differ(from->d, from->b);
    from->b = differ(from->b, from->c);
    from->a = differ(from->a, from->d);
    from->c = differ(from->c, shifted);
    from->d = differ(shift_left(from->d, 11), shift_right(from->d, 21));
    return word;
}

/* Scramble words: the finaliser of MurmurHash3 (Appleby 2011). */
INLINED vec scramble(vec x) {
    x = multiply(differ(x, shift_right(x, 16)), fill(0x85EBCA6Bu));
    x = multiply(differ(x, shift_right(x, 13)), fill(0xC2B2AE35u));
    return differ(x, shift_right(x, 16));
}

/* SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195). */
static uint64_t split(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

INLINED vec first_word(vec lane, uint64_t key, uint32_t number) {
    vec x = scramble(add(lane, fill((uint32_t)key + number * 0x9E3779B9u)));
    return scramble(differ(x, fill((uint32_t)(key >> 32))));
}

/* What has been counted of one arm of one replication, lane by lane. */
typedef struct { vec occupancy[N_STATES], entries[N_STATES]; } counts;

INLINED void unpack(vec packed, vec is_used, vec *into) {
    packed = both(packed, is_used);
    for (int s = 0; s < N_STATES; s++) into[s] = add(into[s], both(shift_right(packed, BITS * s), fill((1u << BITS) - 1)));
}

/* Walk some groups of lanes through all periods. The last group may have lanes that nobody uses. */
INLINED void walk_groups(const int n_groups, int64_t n_periods, uint32_t start, const table *threshold,
                         const table *share, vec is_used_in_last, words *randomness, counts *count) {
    vec state[TOGETHER], one_here[TOGETHER];
    words from = *randomness;
    const table shares = *share, t0 = threshold[0], t1 = threshold[1], t2 = threshold[2], t3 = threshold[3];
    for (int g = 0; g < n_groups; g++) {
        state[g] = fill(start);
        one_here[g] = look_up(&shares, state[g]);
    }
    for (int64_t done = 0; done < n_periods; done += MOST_PERIODS) {
        int64_t until = n_periods - done < MOST_PERIODS ? n_periods - done : MOST_PERIODS;
        vec occupancy[TOGETHER], entries[TOGETHER];
        for (int g = 0; g < n_groups; g++) occupancy[g] = entries[g] = fill(0);
        for (int64_t t = 0; t < until; t++) {
#pragma GCC unroll 4
            for (int g = 0; g < n_groups; g++) {
                vec word = next_word(&from), before = state[g], after = fill(0);
                occupancy[g] = add(occupancy[g], one_here[g]);
                after = add_one_where_reached(after, word, look_up(&t0, before));
                after = add_one_where_reached(after, word, look_up(&t1, before));
                after = add_one_where_reached(after, word, look_up(&t2, before));
                after = add_one_where_reached(after, word, look_up(&t3, before));
                one_here[g] = look_up(&shares, after);
                entries[g] = add_where_changed(entries[g], before, after, one_here[g]);
                state[g] = after;
            }
        }
        for (int g = 0; g < n_groups; g++) {
            vec is_used = g == n_groups - 1 ? is_used_in_last : fill(0xFFFFFFFFu);
            unpack(occupancy[g], is_used, count->occupancy);
            unpack(entries[g], is_used, count->entries);
        }
    }
    *randomness = from;
}

/* Turn the moves out of every state into thresholds: register j holds, at i, where the moves from i to 0, ..., j end. */
static void fill_thresholds(const double *rows, table *threshold) {
    uint32_t edge[N_STATES - 1][TABLE] = {{0}};
    for (int i = 0; i < N_STATES; i++) {
        double reached = 0.0;
        for (int j = 0; j < N_STATES - 1; j++) {
            reached += rows[i * N_STATES + j];
            double scaled = reached * 4294967296.0;
            edge[j][i] = scaled < 4294967295.0 ? (uint32_t)scaled : 4294967295u;
        }
    }
    for (int j = 0; j < N_STATES - 1; j++) threshold[j] = load_table(edge[j]);
}

static int64_t total(vec lanes) {
    uint32_t each[LANES];
    int64_t sum = 0;
    store(each, lanes);
    for (int x = 0; x < LANES; x++) sum += each[x];
    return sum;
}

static void walk_stratum(int64_t n_people, int64_t n_periods, uint32_t start, const double *rows, words *randomness,
                         counts *count) {
    table threshold[N_STATES - 1], share;
    vec is_used, all = fill(0xFFFFFFFFu);
    uint32_t shares[TABLE] = {0}, used[LANES];
    int64_t n_groups = (n_people + LANES - 1) / LANES;
    for (int s = 0; s < N_STATES; s++) shares[s] = 1u << (BITS * s);
    for (int x = 0; x < LANES; x++) used[x] = (n_groups - 1) * LANES + x < n_people ? 0xFFFFFFFFu : 0u;
    share = load_table(shares), is_used = load(used);
    fill_thresholds(rows, threshold);
    for (; n_groups > TOGETHER; n_groups -= TOGETHER)
        walk_groups(TOGETHER, n_periods, start, threshold, &share, all, randomness, count);
    /* The number of groups is written out, so that each case is compiled with its groups in registers. */
    if (n_groups == 4) walk_groups(4, n_periods, start, threshold, &share, is_used, randomness, count);
    if (n_groups == 3) walk_groups(3, n_periods, start, threshold, &share, is_used, randomness, count);
    if (n_groups == 2) walk_groups(2, n_periods, start, threshold, &share, is_used, randomness, count);
    if (n_groups == 1) walk_groups(1, n_periods, start, threshold, &share, is_used, randomness, count);
}

const char *instructions(void) { return INSTRUCTIONS; }

/* rows: (r, arm, k, from, to); sizes, start: (k,); occupancy, entries: (r, arm, s) filled. */
void walk(uint64_t seed, const int64_t *replications, int64_t n_replications, int64_t n_arms, int64_t n_strata,
          const int64_t *sizes, const int64_t *start, int64_t n_periods, const double *rows, int64_t *occupancy,
          int64_t *entries) {
    uint32_t lanes[LANES];
    for (int x = 0; x < LANES; x++) lanes[x] = (uint32_t)x * 0x85EBCA77u;
    vec lane = load(lanes);
    for (int64_t r = 0; r < n_replications; r++) {
        for (int64_t arm = 0; arm < n_arms; arm++) {
            uint64_t key = split(split(seed) ^ (uint64_t)(replications[r] * n_arms + arm));
            words randomness = {first_word(lane, key, 0), first_word(lane, key, 1), first_word(lane, key, 2),
                                first_word(lane, key, 3)};
            counts count;
            for (int s = 0; s < N_STATES; s++) count.occupancy[s] = count.entries[s] = fill(0);
            int64_t cell = r * n_arms + arm;
            for (int64_t k = 0; k < n_strata; k++) {
                const double *moves = rows + (cell * n_strata + k) * N_STATES * N_STATES;
                walk_stratum(sizes[k], n_periods, (uint32_t)start[k], moves, &randomness, &count);
            }
            for (int s = 0; s < N_STATES; s++) {
                occupancy[cell * N_STATES + s] = total(count.occupancy[s]);
                entries[cell * N_STATES + s] = total(count.entries[s]);
            }
        }
    }
}
