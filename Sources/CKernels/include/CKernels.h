// C loops of the CPU backend, in float32 and float64. Strides and extents are in elements.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Most axes of a strided walk, after merging.
#define LS_MAX_RANK 8

// ---- Fused elementwise chains (elementwise.c) ----

enum {
    LS_OP_ADD, LS_OP_MUL, LS_OP_GREATER, LS_OP_SELECT,
    // One code for each function of Graph's table, in the order of `LS_FUNCTIONS` below.
    LS_OP_FUNCTION,
};

// Functions by the names of Graph's table.
#define LS_FUNCTIONS(F) \
    F(exp) F(log) F(sin) F(cos) F(tanh) F(sigmoid) F(softplus) F(erf) F(sqrt) F(rsqrt) F(reciprocal) F(hold)

// The code of a function, or -1.
int32_t ls_function_code(const char *name);

// result = op(a, b, c); each is the number of a register. A register holds one block of values.
typedef struct {
    int32_t op, result, a, b, c;
} ls_instruction;

// How an operand is read: `kind` 0 one element for all, 1 in step with the result, 2 by strides.
typedef struct {
    int32_t kind, target;
    int64_t strides[LS_MAX_RANK];
} ls_load;

typedef struct {
    int32_t instruction_count, load_count, constant_count, register_count, result_register, rank;
    int64_t dims[LS_MAX_RANK];
    const ls_instruction *instructions;
    const ls_load *loads;             // operand i goes to register loads[i].target
    const double *constants;
    const int32_t *constant_registers;  // constant i lives in this register
} ls_chain;

// Computes elements begin..<end of the result.
void ls_elementwise_f32(const ls_chain *chain, const float *const *operands, float *result,
                        int64_t begin, int64_t end);
void ls_elementwise_f64(const ls_chain *chain, const double *const *operands, double *result,
                        int64_t begin, int64_t end);

// ---- Reductions (reduce.c) ----

typedef struct {
    int32_t kept_rank, reduced_rank;
    int64_t kept_dims[LS_MAX_RANK], kept_strides[LS_MAX_RANK];
    int64_t reduced_dims[LS_MAX_RANK], reduced_strides[LS_MAX_RANK];
} ls_reduction;

// Results begin..<end. Sums accumulate in double (float32) or with compensation (float64).
void ls_sum_f32(const ls_reduction *shape, const float *x, float *result, int64_t begin, int64_t end);
void ls_sum_f64(const ls_reduction *shape, const double *x, double *result, int64_t begin, int64_t end);
void ls_max_f32(const ls_reduction *shape, const float *x, float *result, int64_t begin, int64_t end);
void ls_max_f64(const ls_reduction *shape, const double *x, double *result, int64_t begin, int64_t end);

// ---- Moves (moves.c) ----

typedef struct {
    int32_t rank;
    int64_t part[LS_MAX_RANK], starts[LS_MAX_RANK], steps[LS_MAX_RANK], whole_strides[LS_MAX_RANK];
} ls_padding;

// Spreads all of `x` into `result`, which the caller has zeroed.
void ls_pad_f32(const ls_padding *shape, const float *x, float *result);
void ls_pad_f64(const ls_padding *shape, const double *x, double *result);

// result[o, j, i] = x[o, index[j], i] for o in begin..<end.
void ls_gather_f32(const float *x, const float *index, float *result, int64_t axis, int64_t inner,
                   int64_t indices, int64_t begin, int64_t end);
void ls_gather_f64(const double *x, const double *index, double *result, int64_t axis, int64_t inner,
                   int64_t indices, int64_t begin, int64_t end);

// result[o, index[j], i] += x[o, j, i] in the order of j, for o in begin..<end; zeroes the result first.
void ls_scatter_add_f32(const float *x, const float *index, float *result, int64_t axis, int64_t inner,
                        int64_t indices, int64_t begin, int64_t end);
void ls_scatter_add_f64(const double *x, const double *index, double *result, int64_t axis, int64_t inner,
                        int64_t indices, int64_t begin, int64_t end);

// ---- Convolution patches (patches.c) ----

// One group of channels of one image, and the kernel that slides over it.
typedef struct {
    int64_t channels, height, width, kernel_h, kernel_w, out_h, out_w;
    int64_t stride_h, stride_w, padding_h, padding_w;
} ls_window;

// patches[(c, u, v), (row, column)] from an image, zeros outside it.
void ls_unfold_f32(const ls_window *window, const float *image, float *patches);
void ls_unfold_f64(const ls_window *window, const double *image, double *patches);

// The transpose: adds patches into an image, which the caller has zeroed.
void ls_fold_f32(const ls_window *window, const float *patches, float *image);
void ls_fold_f64(const ls_window *window, const double *patches, double *image);
