// Fused elementwise chains and their reductions.
#include "include/CKernels.h"
#include "sets.h"

#include <math.h>
#include <string.h>

// Values that a chain computes at a time.
#define BLOCK 256
// Results that a reduction over outer axes keeps at a time.
#define OUTER 2048

static const char *const function_names[] = {
#define LS_NAME(name) #name,
    LS_FUNCTIONS(LS_NAME)
#undef LS_NAME
};

int32_t ls_function_code(const char *name) {
    for (size_t i = 0; i < sizeof function_names / sizeof *function_names; i++)
        if (strcmp(name, function_names[i]) == 0) return LS_OP_FUNCTION + (int32_t)i;
    return -1;
}

enum {
#define LS_CODE(name) CODE_##name,
    FIRST_CODE = LS_OP_FUNCTION - 1, LS_FUNCTIONS(LS_CODE)
#undef LS_CODE
};

// Since version 2.35 glibc has all vector functions that are used here. Their names say set and lanes.
#if defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define HAS_VECTOR_MATH
#endif
#endif

// Operations keep the order in which they are written: no contraction to fused multiply-add.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#define SET avx512
#define BYTES 64
#ifdef HAS_VECTOR_MATH
#define VECTOR_MATH_f32(name) _ZGVeN16v_##name##f
#define VECTOR_MATH_f64(name) _ZGVeN8v_##name
#endif
#pragma clang attribute push(__attribute__((target(LS_AVX512), min_vector_width(512))), apply_to = function)
#include "chains.inc"
#pragma clang attribute pop
#undef SET
#undef BYTES
#undef VECTOR_MATH_f32
#undef VECTOR_MATH_f64

#define SET avx2
#define BYTES 32
#ifdef HAS_VECTOR_MATH
#define VECTOR_MATH_f32(name) _ZGVdN8v_##name##f
#define VECTOR_MATH_f64(name) _ZGVdN4v_##name
#endif
#pragma clang attribute push(__attribute__((target(LS_AVX2))), apply_to = function)
#include "chains.inc"
#pragma clang attribute pop
#undef SET
#undef BYTES
#undef VECTOR_MATH_f32
#undef VECTOR_MATH_f64
#endif

#define SET base
#define BYTES 16
#include "chains.inc"

typedef struct {
    void (*elementwise)(const ls_chain *, const void *, void *, int64_t, int64_t);
    void (*rows)(const ls_chain *, const void *, void *, int64_t, int64_t, int64_t, int64_t);
    void (*reduce)(const ls_reduction *, const void *, double *, int64_t, int64_t, int64_t);
    void (*combine)(const ls_reduction *, const double *, void *, int64_t, int64_t);
} loops;

#define LOOPS(type, set) \
    {ls_elementwise_##type##_##set, ls_elementwise_rows_##type##_##set, ls_reduce_##type##_##set, \
     ls_combine_##type##_##set}

static const loops *loops_for(int32_t wide) {
    static const loops sets[][2] = {
        [LS_SET_BASE] = {LOOPS(f32, base), LOOPS(f64, base)},
#if defined(__x86_64__)
        [LS_SET_AVX2] = {LOOPS(f32, avx2), LOOPS(f64, avx2)},
        [LS_SET_AVX512] = {LOOPS(f32, avx512), LOOPS(f64, avx512)},
#endif
    };
    return &sets[ls_set()][wide];
}

void ls_elementwise(int32_t wide, const ls_chain *chain, const void *operands, void *result, int64_t begin,
                    int64_t end) {
    loops_for(wide)->elementwise(chain, operands, result, begin, end);
}
void ls_elementwise_rows(int32_t wide, const ls_chain *chain, const void *operands, void *result, int64_t begin,
                         int64_t columns, int64_t rows, int64_t row) {
    loops_for(wide)->rows(chain, operands, result, begin, columns, rows, row);
}
void ls_reduce(int32_t wide, const ls_reduction *reduction, const void *operands, double *partials, int64_t begin,
               int64_t end, int64_t part) {
    loops_for(wide)->reduce(reduction, operands, partials, begin, end, part);
}
void ls_combine(int32_t wide, const ls_reduction *reduction, const double *partials, void *result, int64_t begin,
                int64_t end) {
    loops_for(wide)->combine(reduction, partials, result, begin, end);
}
