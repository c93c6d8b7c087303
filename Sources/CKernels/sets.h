// One binary for several instruction sets: loops are compiled for each, and the best that this processor has is taken
// when the program runs.
#pragma once
#define LS_JOIN_(a, b, c) a##_##b##_##c
#define LS_JOIN(a, b, c) LS_JOIN_(a, b, c)
// The name of a function for the present type and set.
#define FN(name) LS_JOIN(name, TYPE, SET)

#define LS_AVX512 "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"
#define LS_AVX2 "avx2,fma"

enum { LS_SET_BASE, LS_SET_AVX2, LS_SET_AVX512 };

// The best set of this processor.
static inline int ls_set(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return LS_SET_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return LS_SET_AVX2;
#endif
    return LS_SET_BASE;
}
