// How one group of a convolution is computed, worked out once from its shape.
#pragma once
#include "include/CKernels.h"

// Results at a grid of positions, as a convolution of the padded source that moves `step` per position. A strided
// input gradient has one pass for every residue of its positions; everything else has one.
typedef struct {
    int64_t taps, terms;             // kernel positions, and times the source's channels
    int64_t grid_h, grid_w;          // positions
    int64_t step_h, step_w;          // in the source
    int64_t first, by_row, by_column;  // where results go: first + row·by_row + column·by_column
    int64_t packed;                  // first element of its packed filters
    int32_t direct;                  // vectors of positions are read from the padded source as they are
    int32_t *tap;                    // kernel position u·kernel_w + v of every tap
    int32_t *off;                    // source element of every term, from that of a position
    int32_t *scatter;                // where every position's result goes, if not side by side
} ls_pass;

struct ls_conv {
    ls_window window;
    int64_t filters;
    int32_t role;
    // The source: channels, extents, and where it lies in its padded plane.
    int64_t channels, height, width, plane_h, plane_w, top, left;
    int32_t in_place;                // the source needs no padded copy
    int64_t lines, result_plane;     // rows of the result, and distance between them
    int64_t packed_count, work_count, sums_count;
    int32_t pass_count;
    ls_pass *passes;
    int32_t *off;                    // filter gradient: element of the channels-last source of every position
    int32_t *steps;                  // k·(columns of a panel)
};

// Elements after a padded source that chunks and vectors may read.
#define LS_CONV_SLACK 32

// Terms that are summed at a time: those of whole channels.
static inline int64_t ls_conv_block(int64_t taps) { return taps == 0 ? 1 : taps > 768 ? taps : 768 / taps * taps; }
