// How one group of a convolution is computed, worked out once from its shape.
#pragma once
#include "include/CKernels.h"

// Results at a grid of positions, as a convolution of the padded source. A strided input gradient has one pass for
// every residue of its positions, whose results are interleaved at the end; everything else has one.
typedef struct {
    int64_t taps, terms;     // kernel positions, and times the source's channels
    int64_t grid_h, grid_w;  // positions
    int64_t step_h;          // rows of the source between rows of positions; columns have distance 1
    int64_t packed;          // first element of its packed filters
    int64_t plane;           // first element of its results for one image, where they are interleaved later
    int32_t is_direct;       // vectors of positions are read from the padded source as they are
    int32_t *tap;            // kernel position u·kernel_w + v of every tap
    int32_t *off;            // source element of every term, from that of a position
} ls_pass;

struct ls_conv {
    ls_window window;
    int64_t filters;
    int32_t role;
    // The source: channels, extents, and where it lies in its padded plane. Columns of one residue of `step_w` lie
    // together, `part_w` of them, so that positions a step apart are neighbours.
    int64_t channels, height, width, plane_h, plane_w, top, left, step_w, part_w;
    int64_t padded;          // elements of the padded source of one image
    int64_t together;        // images whose positions may share vectors
    int32_t is_in_place;     // the source needs no padded copy
    int32_t is_winograd;     // by minimal filtering: see winograd.inc
    int64_t lines, result_plane;  // rows of the result, and distance between them
    int64_t packed_count, work_count;
    int32_t pass_count;
    ls_pass *passes;
    int32_t *steps;          // k·(columns of a panel)
    // The filter gradient. With channels in the lanes: images that are summed together, elements of a channels-last
    // source, and the element of every position in these. With positions in the lanes: the padded source's element
    // of every term in `off`, and of every vector of positions in `steps`.
    int32_t sums_by_positions;
    int64_t batch, last_count;
    int32_t *off;
};

// Elements after a padded source that chunks and vectors may read.
#define LS_CONV_SLACK 32

// Terms that are summed at a time: those of whole channels.
static inline int64_t ls_conv_block(int64_t taps) { return taps == 0 ? 1 : taps > 768 ? taps : 768 / taps * taps; }
