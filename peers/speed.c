/* The bare arithmetic of some kernels of docs/speed.md: what they would take if nothing else were to be done. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* Sixteen floats: gcc and clang make of them what the processor has. */
typedef float lanes __attribute__((vector_size(64)));

/* Seconds of a fused multiply-add of one float, from ten independent sums. */
static double multiplication(void) {
    enum { SUMS = 10, TIMES = 20000 };
    double best = 1e9;
    volatile float sink;
    for (int repetition = 0; repetition < 400; repetition++) {
        lanes sums[SUMS], a = {0}, b = {0};
        for (int l = 0; l < 16; l++) a[l] = 1e-3f * (repetition + l), b[l] = 1e-3f;
        for (int s = 0; s < SUMS; s++) sums[s] = a + (float)s;
        double begin = now();
        for (int t = 0; t < TIMES; t++) {
#pragma GCC unroll 10
            for (int s = 0; s < SUMS; s++) sums[s] = sums[s] * a + b;
        }
        double seconds = now() - begin;
        lanes all = sums[0];
        for (int s = 1; s < SUMS; s++) all += sums[s];
        sink = all[0];
        if (seconds < best) best = seconds;
    }
    (void)sink;
    return best / (16.0 * SUMS * TIMES);
}

/* A number in [0, 1) that costs next to nothing; it is no generator to be used. */
static inline double draw(uint64_t k) {
    union { uint64_t bits; double number; } one;
    k ^= k << 13, k ^= k >> 7, k ^= k << 17;
    one.bits = (k >> 12) | 0x3ff0000000000000u;
    return one.number - 1.0;
}

/* Seconds of moving n particles of d numbers by PSO. */
static double pso(int n, int d) {
    size_t numbers = (size_t)n * d;
    double *x = calloc(numbers, 8), *v = calloc(numbers, 8), *p = calloc(numbers, 8), *g = calloc(d, 8), best = 1e9;
    for (int repetition = 0; repetition < 60; repetition++) {
        double begin = now();
        for (int i = 0; i < n; i++) {
            double *xi = x + (size_t)i * d, *vi = v + (size_t)i * d, *pi = p + (size_t)i * d;
            for (int j = 0; j < d; j++) {
                uint64_t k = (uint64_t)i * d + j + repetition;
                vi[j] = 0.7 * vi[j] + 1.5 * draw(k) * (pi[j] - xi[j]) + 1.5 * draw(~k) * (g[j] - xi[j]);
                xi[j] += vi[j];
            }
        }
        double seconds = now() - begin;
        if (seconds < best) best = seconds;
    }
    if (x[0] > 1e300) puts("");
    free(x), free(v), free(p), free(g);
    return best;
}

static void line(const char *kernel, double seconds) {
    printf("{\"kernel\": \"%s\", \"who\": \"C\", \"seconds\": %.9g}\n", kernel, seconds);
}

int main(void) {
    double one = multiplication();
    /* Forward, gradient of the weights, and what goes back through the second layer. */
    line("Adam, 4-10-3, batch 50, mse", one * 50 * (2 * (4 * 10 + 10 * 3) + 10 * 3));
    line("Adam, 784-32-10, batch 128, cross_entropy", one * 128 * (2 * (784 * 32 + 32 * 10) + 32 * 10));
    line("Adam, 784-32-10, batch 1024, cross_entropy", one * 1024 * (2 * (784 * 32 + 32 * 10) + 32 * 10));
    line("256 nets 784-32-10, 128 rows, forward", one * 256 * 128 * (784 * 32 + 32 * 10));
    line("PSO, N = 1000, d = 1000, an iteration", pso(1000, 1000));
    return 0;
}
