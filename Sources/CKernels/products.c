// Matrix products and convolutions for every instruction set that this processor may have; the best one is taken
// when the program runs.
#include "convolution.h"
#include "sets.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Vectors of a tile; filters of a tile with positions in the lanes; terms of a product that are packed at a time.
#define PANELS 3
#define FILTERS 2
#define TAPS (ROWS == 8 ? 9 : ROWS)
#define TERMS 384
// Elements by which sources are asked for before they are read; processors do not see such patterns by themselves.
#define AHEAD 1024
// Images whose filter gradients are summed in the element type.
#define SUMMED 32
// Elements of padded images that are computed together.
#define MOST_PADDED (1 << 16)
#if defined(__x86_64__)
#define SET avx512
#define ROWS 8
#define BYTES 64
#pragma clang attribute push(__attribute__((target(LS_AVX512))), apply_to = function)
#include "products.inc"
#pragma clang attribute pop
#undef SET
#undef ROWS
#undef BYTES

#define SET avx2
#define ROWS 4
#define BYTES 32
#pragma clang attribute push(__attribute__((target(LS_AVX2))), apply_to = function)
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
    int64_t lanes, rows, taps;
    void (*product)(const ls_product *, const void *, const void *, void *, void *, int64_t, int64_t);
    void (*add)(void *, int64_t, const void *, int64_t, int64_t, int64_t);
    void (*pack_lines)(int32_t, const void *, int64_t, int64_t, int64_t, int64_t, void *);
    void (*packed)(const ls_product *, const void *, int64_t, const void *, int64_t, int64_t, int64_t, int64_t, int64_t,
                   void *, int32_t);
    void (*pack)(const ls_conv *, const void *, void *, int64_t, int64_t);
    void (*images)(const ls_conv *, const void *, int64_t, const void *, void *, int64_t, int64_t, void *, int64_t,
                   int64_t);
    void (*sum)(const ls_conv *, const void *, int64_t, const void *, int64_t, int64_t, void *, void *);
    void (*finish)(const ls_conv *, const void *, int64_t, int64_t, void *, int64_t, int64_t);
} kernels;

#define KERNELS(type, set, lanes, rows, taps) \
    {lanes, rows, taps, ls_product_##type##_##set, ls_product_add_##type##_##set, \
     ls_product_pack_##type##_##set, ls_product_packed_##type##_##set, ls_conv_pack_##type##_##set, \
     ls_conv_images_##type##_##set, ls_conv_sum_##type##_##set, ls_conv_finish_##type##_##set}

// By precision: 0 float32, 1 float64.
static const kernels *kernels_for(int32_t wide) {
    static const kernels sets[][2] = {
        [LS_SET_BASE] = {KERNELS(f32, base, 4, 4, 4), KERNELS(f64, base, 2, 4, 4)},
#if defined(__x86_64__)
        [LS_SET_AVX2] = {KERNELS(f32, avx2, 8, 4, 4), KERNELS(f64, avx2, 4, 4, 4)},
        [LS_SET_AVX512] = {KERNELS(f32, avx512, 16, 8, 9), KERNELS(f64, avx512, 8, 8, 9)},
#endif
    };
    return &sets[ls_set()][wide];
}

int32_t ls_product_is_wide(void) { return kernels_for(0)->lanes == 16; }

int64_t ls_product_work(int64_t rows, int64_t columns) {
    return (rows + 16 + columns + PANELS * 16) * TERMS;
}

void ls_product_block(int32_t wide, const ls_product *p, const void *a, const void *b, void *c, void *work,
                      int64_t rows, int64_t columns) {
    kernels_for(wide)->product(p, a, b, c, work, rows, columns);
}

void ls_product_add(int32_t wide, void *c, int64_t c_row, const void *part, int64_t part_row, int64_t rows,
                    int64_t columns) {
    kernels_for(wide)->add(c, c_row, part, part_row, rows, columns);
}

int64_t ls_product_terms(void) { return TERMS; }

void ls_product_pack(int32_t wide, int32_t is_right, const void *from, int64_t by_line, int64_t by_term, int64_t lines,
                     int64_t terms, void *to) {
    kernels_for(wide)->pack_lines(is_right, from, by_line, by_term, lines, terms, to);
}

void ls_product_packed(int32_t wide, const ls_product *p, const void *left, int64_t left_lines, const void *right,
                       int64_t right_lines, int64_t row, int64_t rows, int64_t column, int64_t columns, void *c,
                       int32_t accumulates) {
    kernels_for(wide)->packed(p, left, left_lines, right, right_lines, row, rows, column, columns, c, accumulates);
}

// ---- Convolutions ----

static int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Divides towards minus infinity.
static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// What follows from a pass's grid and taps.
static void finish_pass(ls_conv *plan, ls_pass *pass, const kernels *k) {
    pass->terms = plan->channels * pass->taps;
    pass->packed = plan->packed_count;
    plan->packed_count += round_up(plan->lines, k->rows) * pass->terms;
    pass->off = malloc((size_t)(pass->terms + 1) * sizeof(int32_t));
}

// Vectors along rows are read directly and waste lanes at their ends; patches waste fewer, the fewer the more images
// share vectors, and packing them costs about as much as PACKING lines' products. The cheapest is taken.
#define PACKING 8
// Images that share vectors at most, and what share of the cost that must leave to be worth it.
#define MOST_TOGETHER 8
#define WORTH_IT 0.98
static void choose_vectors(ls_conv *plan, const kernels *k) {
    plan->together = 1;
    double mixed = 0, patches[MOST_TOGETHER + 1] = {0};
    for (int32_t p = 0; p < plan->pass_count; p++) {
        ls_pass *pass = &plan->passes[p];
        const int64_t positions = pass->grid_h * pass->grid_w;
        const double terms = (double)pass->terms, packing = 1 + (double)PACKING / (double)plan->lines;
        for (int b = 1; b <= MOST_TOGETHER; b++)
            patches[b] += terms * packing * (double)round_up(b * positions, k->lanes) / b;
        const double direct = terms * (double)(pass->grid_h * round_up(pass->grid_w, k->lanes));
        const double packed = terms * packing * (double)round_up(positions, k->lanes);
        pass->is_direct = pass->terms > 0 && direct <= packed;
        mixed += pass->is_direct ? direct : packed;
    }
    if (plan->is_in_place) return;
    for (int b = 2; b <= MOST_TOGETHER; b++)
        if (patches[b] < WORTH_IT * (plan->together > 1 ? patches[plan->together] : mixed) &&
            b * plan->padded <= MOST_PADDED)
            plan->together = b;
    if (plan->together > 1)
        for (int32_t p = 0; p < plan->pass_count; p++) plan->passes[p].is_direct = 0;
}

// The source element of row y and column x of a padded plane.
static int32_t element(const ls_conv *plan, int64_t channel, int64_t y, int64_t x) {
    const int64_t column = x % plan->step_w * plan->part_w + x / plan->step_w;
    return (int32_t)((channel * plan->plane_h + y) * plan->plane_w + column);
}

// Padded planes of the image, columns sorted by their residue.
static void plan_source(ls_conv *plan) {
    const ls_window *w = &plan->window;
    plan->channels = w->channels, plan->height = w->height, plan->width = w->width;
    plan->top = w->padding_h, plan->left = w->padding_w;
    plan->plane_h = plan->height + 2 * plan->top;
    plan->step_w = w->stride_w;
    plan->part_w = (plan->width + 2 * plan->left + plan->step_w - 1) / plan->step_w;
    plan->plane_w = plan->part_w * plan->step_w;
}

static void plan_forward(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    plan_source(plan);
    plan->lines = plan->filters, plan->result_plane = w->out_h * w->out_w;
    plan->pass_count = 1;
    ls_pass *pass = plan->passes = calloc(1, sizeof(ls_pass));
    pass->taps = w->kernel_h * w->kernel_w;
    pass->grid_h = w->out_h, pass->grid_w = w->out_w, pass->step_h = w->stride_h;
    const int32_t is_pointwise =
        pass->taps == 1 && w->stride_h == 1 && w->stride_w == 1 && plan->top == 0 && plan->left == 0;
    if (is_pointwise) {
        // All pixels are one row.
        plan->width = plan->part_w = plan->plane_w = pass->grid_w = w->height * w->width;
        plan->height = plan->plane_h = pass->grid_h = 1;
    }
    finish_pass(plan, pass, k);
    plan->is_in_place = is_pointwise && pass->grid_w % k->lanes == 0;
    int32_t *off = pass->off;
    for (int64_t c = 0; c < plan->channels; c++)
        for (int64_t u = 0; u < w->kernel_h; u++)
            for (int64_t v = 0; v < w->kernel_w; v++) *off++ = element(plan, c, u, v);
}

static void plan_input(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    plan->channels = plan->filters, plan->height = w->out_h, plan->width = w->out_w;
    plan->lines = w->channels, plan->result_plane = w->height * w->width;
    // The farthest elements of the cotangent that any tap of any position touches.
    const int64_t low_h = floor_divide(w->padding_h - w->kernel_h + 1, w->stride_h);
    const int64_t low_w = floor_divide(w->padding_w - w->kernel_w + 1, w->stride_w);
    const int64_t high_h = floor_divide(w->height - 1 + w->padding_h, w->stride_h);
    const int64_t high_w = floor_divide(w->width - 1 + w->padding_w, w->stride_w);
    plan->top = low_h < 0 ? -low_h : 0, plan->left = low_w < 0 ? -low_w : 0;
    plan->plane_h = plan->top + (high_h + 1 > w->out_h ? high_h + 1 : w->out_h);
    plan->plane_w = plan->part_w = plan->left + (high_w + 1 > w->out_w ? high_w + 1 : w->out_w);
    plan->step_w = 1;
    plan->passes = calloc((size_t)(least(w->stride_h, w->height) * least(w->stride_w, w->width)) + 1, sizeof(ls_pass));
    int64_t plane = 0;
    for (int64_t a = 0; a < least(w->stride_h, w->height); a++)
        for (int64_t b = 0; b < least(w->stride_w, w->width); b++) {
            // Position i·stride + a is touched by taps u of the same residue, at element i + (a + padding − u)/stride.
            ls_pass *pass = &plan->passes[plan->pass_count++];
            pass->tap = malloc((size_t)(w->kernel_h * w->kernel_w) * sizeof(int32_t));
            for (int64_t u = (a + w->padding_h) % w->stride_h; u < w->kernel_h; u += w->stride_h)
                for (int64_t v = (b + w->padding_w) % w->stride_w; v < w->kernel_w; v += w->stride_w)
                    pass->tap[pass->taps++] = (int32_t)(u * w->kernel_w + v);
            pass->grid_h = (w->height - a + w->stride_h - 1) / w->stride_h;
            pass->grid_w = (w->width - b + w->stride_w - 1) / w->stride_w;
            pass->step_h = 1;
            pass->plane = plane;
            plane += plan->lines * pass->grid_h * pass->grid_w;
            finish_pass(plan, pass, k);
            int32_t *off = pass->off;
            for (int64_t f = 0; f < plan->channels; f++)
                for (int64_t t = 0; t < pass->taps; t++) {
                    const int64_t u = pass->tap[t] / w->kernel_w, v = pass->tap[t] % w->kernel_w;
                    *off++ = element(plan, f, plan->top + floor_divide(a + w->padding_h - u, w->stride_h),
                                     plan->left + floor_divide(b + w->padding_w - v, w->stride_w));
                }
        }
}

// Minimal filtering takes 16 products instead of 36, and two transformations of TRANSFORM vector operations a vector of
// tiles.
#define TRANSFORM 90
static int32_t is_plain_3x3(const ls_window *w) {
    return w->kernel_h == 3 && w->kernel_w == 3 && w->stride_h == 1 && w->stride_w == 1;
}

static int32_t winograd_pays(const ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    if (!is_plain_3x3(w) || (plan->role == LS_CONV_INPUT && (w->padding_h > 2 || w->padding_w > 2))) return 0;
    const ls_pass *pass = plan->passes;
    const double lanes = (double)k->lanes;
    const double lines = (double)(plan->lines > 4 ? round_up(plan->lines, k->rows) : 4);
    const double channels = (double)plan->channels, height = (double)pass->grid_h, width = (double)pass->grid_w;
    const double vectors = ((pass->grid_h + 1) / 2) * ((pass->grid_w + 1) / 2) / lanes;
    const double cost = vectors * (16 * channels * lines + TRANSFORM * (channels + (double)plan->lines));
    return cost < 9 * channels * lines * height * width / lanes;
}

// The padded source and the order of its columns, so that tiles are neighbours; images whose tiles share vectors.
static void plan_winograd(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    ls_pass *pass = plan->passes;
    const int64_t down = (pass->grid_h + 1) / 2, across = (pass->grid_w + 1) / 2;
    plan->is_winograd = 1;
    if (plan->role == LS_CONV_INPUT) plan->top = 2 - w->padding_h, plan->left = 2 - w->padding_w;
    plan->plane_h = 2 * down + 2, plan->part_w = across + 1;
    plan->step_w = 2, plan->plane_w = 2 * plan->part_w;
    plan->padded = plan->channels * plan->plane_h * plan->plane_w;
    plan->together = 1;
    double least_waste = 0;
    for (int b = 1; b <= MOST_TOGETHER && (b == 1 || b * plan->padded <= MOST_PADDED); b++) {
        const double waste = (double)round_up(b * down * across, PANELS * k->lanes) / b;
        if (b == 1 || waste < WORTH_IT * least_waste) plan->together = b, least_waste = waste;
    }
    const int64_t width = PANELS * k->lanes, lines = round_up(plan->lines, k->rows);
    plan->packed_count = 16 * lines * plan->channels;
    plan->steps = malloc((size_t)(plan->channels + 1) * sizeof(int32_t));
    for (int64_t i = 0; i < plan->channels; i++) plan->steps[i] = (int32_t)(i * width);
    plan->work_count = plan->together * plan->padded + LS_CONV_SLACK +
                       16 * ((plan->channels + k->rows) * width + 2 * k->lanes);
}

static void plan_filter_by_channels(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    plan->plane_w = plan->width + 2 * plan->left;
    plan->last_count = plan->plane_h * plan->plane_w * plan->channels;
    const int64_t positions = w->out_h * w->out_w;
    plan->batch = positions > 0 && TERMS / positions > 1 ? least(TERMS / positions, 8) : 1;
    plan->off = malloc((size_t)(plan->batch * positions + 1) * sizeof(int32_t));
    int32_t *off = plan->off;
    for (int64_t image = 0; image < plan->batch; image++)
        for (int64_t y = 0; y < w->out_h; y++)
            for (int64_t x = 0; x < w->out_w; x++)
                *off++ = (int32_t)(image * plan->last_count +
                                   (y * w->stride_h * plan->plane_w + x * w->stride_w) * plan->channels);
    const int64_t terms = plan->batch > 1 ? plan->batch * positions : least(TERMS, positions);
    plan->work_count = plan->batch * plan->last_count + LS_CONV_SLACK + round_up(plan->filters, k->rows) * terms;
}

static void plan_filter_by_positions(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    const int64_t terms = plan->channels * w->kernel_h * w->kernel_w, all = round_up(terms, k->taps);
    const int64_t by_row = round_up(w->out_w, k->lanes) / k->lanes, vectors = w->out_h * by_row;
    plan->sums_by_positions = 1;
    plan->off = malloc((size_t)all * sizeof(int32_t));
    for (int64_t t = 0; t < all; t++) {
        // A tile's last terms may be one term again and again; these sums are not read.
        const int64_t term = least(t, terms - 1), kernel = w->kernel_h * w->kernel_w;
        plan->off[t] = element(plan, term / kernel, term % kernel / w->kernel_w, term % w->kernel_w);
    }
    plan->steps = malloc((size_t)vectors * sizeof(int32_t));
    for (int64_t v = 0; v < vectors; v++)
        plan->steps[v] = (int32_t)(v / by_row * w->stride_h * plan->plane_w + v % by_row * k->lanes);
    plan->padded = plan->channels * plan->plane_h * plan->plane_w;
    plan->work_count = plan->padded + LS_CONV_SLACK + FILTERS * vectors * k->lanes +
                       round_up(plan->filters, FILTERS) * all * k->lanes;
}

// Elements of transformed tiles that are summed together, and tiles at least; elements of their sums at most.
#define TILES (1 << 16)
#define LEAST_TILES 64
#define MOST_SUMS (1 << 20)
// Its cost is that of 16 products a tile, of which those with one vector of channels are slower, and of the
// transformations.
#define ONE_VECTOR 1.4
#define TRANSFORM_LINE 100
#define LARGE_GAIN 0.9
static int32_t winograd_pays_for_filters(const ls_conv *plan, const kernels *k, double direct) {
    const ls_window *w = &plan->window;
    const double tiles = (double)(((w->out_h + 1) / 2) * ((w->out_w + 1) / 2));
    const double channels = (double)round_up(plan->channels, k->lanes), filters = (double)round_up(plan->filters, k->rows);
    const double products = 16 * channels * filters * (plan->channels > k->lanes ? 1 : ONE_VECTOR);
    return is_plain_3x3(w) && tiles > 0 && 16 * channels * filters <= MOST_SUMS &&
           tiles * (products + TRANSFORM_LINE * (channels + filters)) < LARGE_GAIN * direct;
}

static void plan_filter_by_winograd(ls_conv *plan, const kernels *k) {
    const ls_window *w = &plan->window;
    const int64_t down = (w->out_h + 1) / 2, across = (w->out_w + 1) / 2;
    const int64_t width = round_up(plan->channels, k->lanes), filters = round_up(plan->filters, k->rows);
    plan->is_winograd = 1;
    plan->plane_h = 2 * down + 2, plan->plane_w = 2 * across + 2;
    plan->last_count = plan->plane_h * plan->plane_w * plan->channels;
    // Whole rows of tiles.
    const int64_t tiles = least(TERMS, TILES / 16 / (width + filters));
    const int64_t rows = (tiles < LEAST_TILES ? LEAST_TILES : tiles) / across;
    plan->batch = (rows > 1 ? rows : 1) * across;
    plan->off = malloc((size_t)(plan->height * plan->width + 1) * sizeof(int32_t));
    for (int64_t y = 0; y < plan->height; y++)
        for (int64_t x = 0; x < plan->width; x++)
            plan->off[y * plan->width + x] =
                (int32_t)(((plan->top + y) * plan->plane_w + plan->left + x) * plan->channels);
    plan->steps = malloc((size_t)plan->batch * sizeof(int32_t));
    for (int64_t i = 0; i < plan->batch; i++) plan->steps[i] = (int32_t)(i * width);
    plan->work_count = plan->last_count + LS_CONV_SLACK + 4 * across * k->rows +
                       16 * (filters * width + plan->batch * (width + filters) + 3 * k->lanes);
}

// Lanes hold channels or positions, whichever wastes fewer.
static void plan_filter(ls_conv *plan, const kernels *k, int32_t may_winograd) {
    const ls_window *w = &plan->window;
    plan_source(plan);
    const int64_t terms = w->channels * w->kernel_h * w->kernel_w;
    const int64_t by_channels =
        round_up(plan->filters, k->rows) * w->kernel_h * round_up(w->kernel_w * w->channels, k->lanes) * w->out_w;
    const int64_t by_positions =
        round_up(plan->filters, FILTERS) * round_up(terms, k->taps) * round_up(w->out_w, k->lanes);
    if (may_winograd && winograd_pays_for_filters(plan, k, (double)least(by_channels, by_positions) * (double)w->out_h))
        plan_filter_by_winograd(plan, k);
    else if (by_positions > 0 && by_positions < by_channels)
        plan_filter_by_positions(plan, k);
    else
        plan_filter_by_channels(plan, k);
}

ls_conv *ls_conv_make(int32_t wide, int32_t role, const ls_window *window, int64_t filters, int32_t may_winograd) {
    const kernels *k = kernels_for(wide);
    ls_conv *plan = calloc(1, sizeof(ls_conv));
    plan->window = *window;
    plan->filters = filters;
    plan->role = role;
    if (role == LS_CONV_FORWARD) plan_forward(plan, k);
    if (role == LS_CONV_INPUT) plan_input(plan, k);
    if (role == LS_CONV_FILTER) {
        plan_filter(plan, k, may_winograd);
        // Sums in float64.
        plan->work_count += 2 * filters * window->channels * window->kernel_h * window->kernel_w;
        return plan;
    }
    if (may_winograd && winograd_pays(plan, k)) {
        plan_winograd(plan, k);
        return plan;
    }
    plan->padded = plan->channels * plan->plane_h * plan->plane_w;
    choose_vectors(plan, k);
    const int64_t width = PANELS * k->lanes;
    int64_t block = 1, packs = 0;
    for (int32_t p = 0; p < plan->pass_count; p++) {
        const ls_pass *pass = &plan->passes[p];
        if (pass->is_direct) continue;
        const int64_t terms = least(ls_conv_block(pass->taps), pass->terms);
        if (terms > block) block = terms;
        packs = 1;
    }
    plan->steps = malloc((size_t)block * sizeof(int32_t));
    for (int64_t i = 0; i < block; i++) plan->steps[i] = (int32_t)(i * width);
    if (!plan->is_in_place) plan->work_count += plan->together * plan->padded + LS_CONV_SLACK;
    if (plan->pass_count > 1) plan->work_count += plan->together * plan->lines * plan->result_plane;
    if (packs) plan->work_count += block * width + LS_CONV_SLACK;
    return plan;
}

void ls_conv_free(ls_conv *plan) {
    for (int32_t p = 0; p < plan->pass_count; p++) {
        free(plan->passes[p].tap);
        free(plan->passes[p].off);
    }
    free(plan->passes);
    free(plan->off);
    free(plan->steps);
    free(plan);
}

int64_t ls_conv_packed(const ls_conv *plan) { return plan->packed_count; }
int64_t ls_conv_together(const ls_conv *plan) { return plan->together; }
int64_t ls_conv_work(const ls_conv *plan) { return round_up(plan->work_count, 16); }

void ls_conv_pack(int32_t wide, const ls_conv *plan, const void *w, void *packed, int64_t part, int64_t parts) {
    kernels_for(wide)->pack(plan, w, packed, part, parts);
}
void ls_conv_images(int32_t wide, const ls_conv *plan, const void *source, int64_t source_step, const void *packed,
                    void *result, int64_t result_step, int64_t images, void *work, int64_t part, int64_t parts) {
    kernels_for(wide)->images(plan, source, source_step, packed, result, result_step, images, work, part, parts);
}
void ls_conv_sum(int32_t wide, const ls_conv *plan, const void *image, int64_t image_step, const void *cotangent,
                 int64_t cotangent_step, int64_t images, void *sums, void *work) {
    kernels_for(wide)->sum(plan, image, image_step, cotangent, cotangent_step, images, sums, work);
}
void ls_conv_finish(int32_t wide, const ls_conv *plan, const void *sums, int64_t pieces, int64_t stride,
                    void *gradient, int64_t begin, int64_t end) {
    kernels_for(wide)->finish(plan, sums, pieces, stride, gradient, begin, end);
}
