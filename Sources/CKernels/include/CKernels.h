// C loops of the CPU backend. Where a function is told `wide`, 0 is float32 and 1 is float64. Strides and extents are
// in elements.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Most axes of a strided walk, after merging.
#define LS_MAX_RANK 8

// ---- Fused elementwise chains (chains.c) ----

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

// Computes elements begin..<end of the result. `operands` are pointers to elements of the type.
void ls_elementwise(int32_t wide, const ls_chain *chain, const void *operands, void *result, int64_t begin,
                    int64_t end);

// The same for `columns` elements from `begin` on and as many in every one of `rows` rows, which lie `row` elements apart.
void ls_elementwise_rows(int32_t wide, const ls_chain *chain, const void *operands, void *result, int64_t begin,
                         int64_t columns, int64_t rows, int64_t row);

// ---- Reductions of chains (chains.c) ----

typedef struct {
    // Its axes are those of the results and then those of the terms, or the other way round.
    const ls_chain *chain;
    int64_t results, terms;
    int32_t terms_are_outer, is_maximum;
    // Terms are cut into `parts` stretches of `part` terms.
    int64_t part, parts;
} ls_reduction;

// Part `part` of the terms of results begin..<end, to partials[result·parts + part].
void ls_reduce(int32_t wide, const ls_reduction *reduction, const void *operands, double *partials, int64_t begin,
               int64_t end, int64_t part);

// Results begin..<end from their parts, in order.
void ls_combine(int32_t wide, const ls_reduction *reduction, const double *partials, void *result, int64_t begin,
                int64_t end);

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

// ---- Matrix products (products.c) ----

// c = a·b, where one of each operand's distances between rows (a), columns (b) and terms is 1, and columns of c lie
// next to each other.
typedef struct {
    int64_t k, a_row, a_term, b_column, b_term, c_row, lower;
} ls_product;

// Whether this processor's vectors are so long (64 bytes) that these products should be preferred to a library's.
int32_t ls_product_is_wide(void);

// Elements of `work` for a block of this size.
int64_t ls_product_work(int64_t rows, int64_t columns);

// A block of rows and columns. The order of every sum depends on k alone. Tiles are left out whose columns all lie
// `lower` or more to the right of their rows: above the diagonal of a matrix of which this is a block.
void ls_product_block(int32_t wide, const ls_product *p, const void *a, const void *b, void *c, void *work,
                      int64_t rows, int64_t columns);

// c[i·c_row + j] += part[i·part_row + j] for a block of rows and columns.
void ls_product_add(int32_t wide, void *c, int64_t c_row, const void *part, int64_t part_row, int64_t rows,
                    int64_t columns);

// Terms that are packed at a time.
int64_t ls_product_terms(void);

// Packs at most `ls_product_terms()` terms of some lines: rows of a, or columns of b. Lines come in panels, whose widths
// divide 8 and 48, so pieces that begin at such lines may be packed side by side. Element (line, term) lies at
// from[line·by_line + term·by_term], and one of the two distances is 1.
void ls_product_pack(int32_t wide, int32_t is_right, const void *from, int64_t by_line, int64_t by_term, int64_t lines,
                     int64_t terms, void *to);

// A block of c at `c` from all k packed terms: what was packed first, for `left_lines` rows and `right_lines` columns, is
// followed by the next terms of as many. Sums are those of `ls_product_block`; `accumulates` adds to c.
void ls_product_packed(int32_t wide, const ls_product *p, const void *left, int64_t left_lines, const void *right,
                       int64_t right_lines, int64_t row, int64_t rows, int64_t column, int64_t columns, void *c,
                       int32_t accumulates);

// ---- Convolutions (products.c) ----

// One group of channels of one image, and the kernel that slides over it.
typedef struct {
    int64_t channels, height, width, kernel_h, kernel_w, out_h, out_w;
    int64_t stride_h, stride_w, padding_h, padding_w;
} ls_window;

enum { LS_CONV_FORWARD, LS_CONV_INPUT, LS_CONV_FILTER };

// How one of the convolution triple is computed for a shape; made once, used by any number of threads. `may_winograd` allows
// minimal filtering (winograd.inc), whose rounding differs.
typedef struct ls_conv ls_conv;
ls_conv *ls_conv_make(int32_t wide, int32_t role, const ls_window *window, int64_t filters, int32_t may_winograd);
void ls_conv_free(ls_conv *plan);

// Elements of the packed filters of one group, and of one thread's working memory.
int64_t ls_conv_packed(const ls_conv *plan);
int64_t ls_conv_work(const ls_conv *plan);

// Packs part `part` of `parts` of the filters of one group, for forward and input gradient.
void ls_conv_pack(int32_t wide, const ls_conv *plan, const void *w, void *packed, int64_t part, int64_t parts);

// Images whose positions may share vectors: the most that `ls_conv_images` takes at once.
int64_t ls_conv_together(const ls_conv *plan);

// Part `part` of `parts` of the results of some images of one group, forward or input gradient. Sources and results
// are `source_step` and `result_step` elements apart. A result does not depend on how images are shared out.
void ls_conv_images(int32_t wide, const ls_conv *plan, const void *source, int64_t source_step, const void *packed,
                    void *result, int64_t result_step, int64_t images, void *work, int64_t part, int64_t parts);

// Sums the filter gradients of some images of one group, at least one. Images and cotangents are `image_step` and
// `cotangent_step` elements apart.
void ls_conv_sum(int32_t wide, const ls_conv *plan, const void *image, int64_t image_step, const void *cotangent,
                 int64_t cotangent_step, int64_t images, void *sums, void *work);

// The gradient of filters begin..<end of one group from the sums of some pieces that lie `stride` apart, added in order.
void ls_conv_finish(int32_t wide, const ls_conv *plan, const void *sums, int64_t pieces, int64_t stride,
                    void *gradient, int64_t begin, int64_t end);

// ---- Threads (threads.c) ----

// Threads that share work, the caller among them; 0 asks for one per processor. Only a call before the first use has
// an effect.
void ls_set_threads(int32_t count);
int32_t ls_threads(void);

// Calls body(context, piece, thread) for pieces 0..<count on all threads, and returns when all are done. Pieces are
// taken in order by whoever is free; `thread` is below `ls_threads()`. Calls from within a body run in place.
void ls_parallel(int64_t count, void (*body)(void *context, int64_t piece, int32_t thread), void *context);
