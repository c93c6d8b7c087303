// Matrix products and convolutions for every instruction set that this processor may have; the best one is taken
// when the program runs.
#include "convolution.h"

#include <stdlib.h>
#include <string.h>

// Vectors of a tile, and terms of a product that are packed at a time.
#define PANELS 3
#define TERMS 384
#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define FN(name) JOIN(name, TYPE, SET)

#if defined(__x86_64__)
#define SET avx512
#define ROWS 8
#define BYTES 64
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), apply_to = function)
#include "products.inc"
#pragma clang attribute pop
#undef SET
#undef ROWS
#undef BYTES

#define SET avx2
#define ROWS 4
#define BYTES 32
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "products.inc"
#pragma clang attribute pop
#undef SET
#undef ROWS
#undef BYTES
#endif

#define SET base
#define ROWS 4
#define BYTES 16
#include "products.inc"

// ---- The set of this processor ----

typedef struct {
    int64_t lanes, rows;
    void (*product)(const ls_product *, const void *, const void *, void *, void *, int64_t, int64_t, int64_t, int64_t);
    void (*pack)(const ls_conv *, const void *, void *);
    void (*image)(const ls_conv *, const void *, const void *, void *, void *, int64_t, int64_t);
    void (*sum)(const ls_conv *, const void *, const void *, void *, void *, int32_t);
    void (*finish)(const ls_conv *, const void *, int64_t, int64_t, void *);
} kernels;

#define KERNELS(type, set, lanes, rows) \
    {lanes, rows, ls_product_##type##_##set, ls_conv_pack_##type##_##set, ls_conv_image_##type##_##set, \
     ls_conv_sum_##type##_##set, ls_conv_finish_##type##_##set}

// By precision: 0 float32, 1 float64.
static const kernels *kernels_for(int32_t wide) {
    static const kernels base[2] = {KERNELS(f32, base, 4, 4), KERNELS(f64, base, 2, 4)};
#if defined(__x86_64__)
    static const kernels avx512[2] = {KERNELS(f32, avx512, 16, 8), KERNELS(f64, avx512, 8, 8)};
    static const kernels avx2[2] = {KERNELS(f32, avx2, 8, 4), KERNELS(f64, avx2, 4, 4)};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return &avx512[wide];
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2[wide];
#endif
    return &base[wide];
}

int32_t ls_product_is_wide(void) { return kernels_for(0)->lanes == 16; }

int64_t ls_product_work(int64_t rows, int64_t columns) {
    return (rows + 16 + columns + PANELS * 16) * TERMS;
}

void ls_product_block(int32_t wide, const ls_product *p, const void *a, const void *b, void *c, void *work,
                      int64_t row, int64_t rows, int64_t column, int64_t columns) {
    kernels_for(wide)->product(p, a, b, c, work, row, rows, column, columns);
}

// ---- Convolutions ----

static int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Divides towards minus infinity.
static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Vectors along rows waste lanes; packing patches costs about four lines' worth of work. The cheaper is taken.
static int32_t is_direct(const ls_conv *plan, const ls_pass *pass, int64_t lanes) {
    if (pass->step_w != 1 || pass->terms == 0) return 0;
    const double used = (double)pass->grid_w / (double)round_up(pass->grid_w, lanes);
    return 1 / used <= 1 + 4.0 / (double)plan->lines;
}

// The positions' grid, the filters' place and the tables of a pass whose taps are set.
static void finish_pass(ls_conv *plan, ls_pass *pass, const kernels *k) {
    pass->terms = plan->channels * pass->taps;
    pass->packed = plan->packed_count;
    plan->packed_count += round_up(plan->lines, k->rows) * pass->terms;
    pass->direct = is_direct(plan, pass, k->lanes);
    if (pass->by_column == 1 && pass->by_row == pass->grid_w) return;
    const int64_t positions = pass->grid_h * pass->grid_w;
    pass->scatter = malloc((size_t)(positions + 1) * sizeof(int32_t));
    for (int64_t p = 0; p < positions; p++)
        pass->scatter[p] =
            (int32_t)(pass->first + p / pass->grid_w * pass->by_row + p % pass->grid_w * pass->by_column);
}

static void plan_forward(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    plan->channels = w->channels, plan->height = w->height, plan->width = w->width;
    plan->top = w->padding_h, plan->left = w->padding_w;
    plan->plane_h = plan->height + 2 * plan->top, plan->plane_w = plan->width + 2 * plan->left;
    plan->lines = plan->filters, plan->result_plane = w->out_h * w->out_w;
    plan->pass_count = 1;
    ls_pass *pass = plan->passes = calloc(1, sizeof(ls_pass));
    pass->taps = w->kernel_h * w->kernel_w;
    pass->grid_h = w->out_h, pass->grid_w = w->out_w, pass->step_h = w->stride_h, pass->step_w = w->stride_w;
    const int32_t is_pointwise = pass->taps == 1 && pass->step_h == 1 && pass->step_w == 1 && !plan->top && !plan->left;
    if (is_pointwise) {
        // All pixels are one row.
        plan->width = plan->plane_w = pass->grid_w = w->height * w->width;
        plan->height = plan->plane_h = pass->grid_h = 1;
    }
    pass->by_row = pass->grid_w, pass->by_column = 1;
    finish_pass(plan, pass, k);
    plan->in_place = is_pointwise && pass->direct && pass->grid_w % k->lanes == 0;
    pass->off = malloc((size_t)(pass->terms + 1) * sizeof(int32_t));
    int32_t *off = pass->off;
    for (int64_t c = 0; c < plan->channels; c++)
        for (int64_t u = 0; u < w->kernel_h; u++)
            for (int64_t v = 0; v < w->kernel_w; v++)
                *off++ = (int32_t)((c * plan->plane_h + u) * plan->plane_w + v);
}

// Positions of one residue along one axis: position i·stride + residue is touched by tap residue' + t·stride of the
// cotangent's element i + (residue + padding − tap)/stride.
static int64_t shift(int64_t residue, int64_t padding, int64_t tap, int64_t stride) {
    return floor_divide(residue + padding - tap, stride);
}

static void plan_input(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    plan->channels = plan->filters, plan->height = w->out_h, plan->width = w->out_w;
    plan->lines = w->channels, plan->result_plane = w->height * w->width;
    // The farthest elements of the cotangent that any tap of any residue touches.
    const int64_t low_h = floor_divide(w->padding_h - w->kernel_h + 1, w->stride_h);
    const int64_t low_w = floor_divide(w->padding_w - w->kernel_w + 1, w->stride_w);
    const int64_t high_h = floor_divide(w->height - 1 + w->padding_h, w->stride_h);
    const int64_t high_w = floor_divide(w->width - 1 + w->padding_w, w->stride_w);
    plan->top = low_h < 0 ? -low_h : 0, plan->left = low_w < 0 ? -low_w : 0;
    plan->plane_h = plan->top + (high_h + 1 > w->out_h ? high_h + 1 : w->out_h);
    plan->plane_w = plan->left + (high_w + 1 > w->out_w ? high_w + 1 : w->out_w);
    plan->passes = calloc((size_t)(w->stride_h * w->stride_w), sizeof(ls_pass));
    for (int64_t a = 0; a < least(w->stride_h, w->height); a++)
        for (int64_t b = 0; b < least(w->stride_w, w->width); b++) {
            ls_pass *pass = &plan->passes[plan->pass_count++];
            pass->tap = malloc((size_t)(w->kernel_h * w->kernel_w) * sizeof(int32_t));
            for (int64_t u = (a + w->padding_h) % w->stride_h; u < w->kernel_h; u += w->stride_h)
                for (int64_t v = (b + w->padding_w) % w->stride_w; v < w->kernel_w; v += w->stride_w)
                    pass->tap[pass->taps++] = (int32_t)(u * w->kernel_w + v);
            pass->grid_h = (w->height - a + w->stride_h - 1) / w->stride_h;
            pass->grid_w = (w->width - b + w->stride_w - 1) / w->stride_w;
            pass->step_h = pass->step_w = 1;
            pass->first = a * w->width + b;
            pass->by_row = w->stride_h * w->width, pass->by_column = w->stride_w;
            finish_pass(plan, pass, k);
            pass->off = malloc((size_t)(pass->terms + 1) * sizeof(int32_t));
            int32_t *off = pass->off;
            for (int64_t f = 0; f < plan->channels; f++)
                for (int64_t t = 0; t < pass->taps; t++) {
                    const int64_t u = pass->tap[t] / w->kernel_w, v = pass->tap[t] % w->kernel_w;
                    const int64_t y = plan->top + shift(a, w->padding_h, u, w->stride_h);
                    const int64_t x = plan->left + shift(b, w->padding_w, v, w->stride_w);
                    *off++ = (int32_t)((f * plan->plane_h + y) * plan->plane_w + x);
                }
        }
}

static void plan_filter(ls_conv *plan) {
    const ls_window *w = &plan->window;
    plan->channels = w->channels, plan->height = w->height, plan->width = w->width;
    plan->top = w->padding_h, plan->left = w->padding_w;
    plan->plane_h = plan->height + 2 * plan->top, plan->plane_w = plan->width + 2 * plan->left;
    plan->sums_count = plan->filters * w->channels * w->kernel_h * w->kernel_w;
    plan->off = malloc((size_t)(w->out_h * w->out_w + 1) * sizeof(int32_t));
    for (int64_t y = 0; y < w->out_h; y++)
        for (int64_t x = 0; x < w->out_w; x++)
            plan->off[y * w->out_w + x] =
                (int32_t)((y * w->stride_h * plan->plane_w + x * w->stride_w) * plan->channels);
}

ls_conv *ls_conv_make(int32_t wide, int32_t role, const ls_window *window, int64_t filters) {
    const kernels *k = kernels_for(wide);
    ls_conv *plan = calloc(1, sizeof(ls_conv));
    plan->window = *window;
    plan->filters = filters;
    plan->role = role;
    if (role == LS_CONV_FORWARD) plan_forward(plan, k);
    if (role == LS_CONV_INPUT) plan_input(plan, k);
    if (role == LS_CONV_FILTER) plan_filter(plan);
    const int64_t width = PANELS * k->lanes, plane = plan->channels * plan->plane_h * plan->plane_w;
    int64_t block = 1, packs = 0;
    for (int32_t p = 0; p < plan->pass_count; p++) {
        const int64_t terms = least(ls_conv_block(plan->passes[p].taps), plan->passes[p].terms);
        if (terms > block) block = terms;
        if (!plan->passes[p].direct) packs = 1;
    }
    plan->steps = malloc((size_t)block * sizeof(int32_t));
    for (int64_t i = 0; i < block; i++) plan->steps[i] = (int32_t)(i * width);
    plan->work_count = plan->in_place ? 0 : plane + LS_CONV_SLACK;
    if (packs) plan->work_count += block * width + LS_CONV_SLACK;
    if (role == LS_CONV_FILTER)
        plan->work_count += round_up(filters, k->rows) * least(TERMS, window->out_h * window->out_w);
    return plan;
}

void ls_conv_free(ls_conv *plan) {
    for (int32_t p = 0; p < plan->pass_count; p++) {
        free(plan->passes[p].tap);
        free(plan->passes[p].off);
        free(plan->passes[p].scatter);
    }
    free(plan->passes);
    free(plan->off);
    free(plan->steps);
    free(plan);
}

int64_t ls_conv_packed(const ls_conv *plan) { return plan->packed_count; }
int64_t ls_conv_work(const ls_conv *plan) { return round_up(plan->work_count, 16); }

void ls_conv_pack(int32_t wide, const ls_conv *plan, const void *w, void *packed) {
    kernels_for(wide)->pack(plan, w, packed);
}
void ls_conv_image(int32_t wide, const ls_conv *plan, const void *source, const void *packed, void *result,
                   void *work, int64_t part, int64_t parts) {
    kernels_for(wide)->image(plan, source, packed, result, work, part, parts);
}
void ls_conv_sum(int32_t wide, const ls_conv *plan, const void *image, const void *cotangent, void *sums, void *work,
                 int32_t begins) {
    kernels_for(wide)->sum(plan, image, cotangent, sums, work, begins);
}
void ls_conv_finish(int32_t wide, const ls_conv *plan, const void *sums, int64_t pieces, int64_t stride,
                    void *gradient) {
    kernels_for(wide)->finish(plan, sums, pieces, stride, gradient);
}
