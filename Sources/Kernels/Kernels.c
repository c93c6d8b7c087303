#include "Kernels.h"
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

// Every file of `cl`, by its name without the ending. A new file is one line here.
#define FILES(F) \
    F(combine) F(conv_filters) F(conv_finish) F(conv_images) F(conv_sums) F(conv_taps) F(fold_items) \
    F(fold_rows) F(gather) F(image) F(matmul_columns) F(matmul_dots) F(matmul_local) F(mirror) F(pack) \
    F(pad_items) F(pad_rows) F(product) F(product_pack) F(reduce_columns) F(reduce_few) F(reduce_runs) \
    F(reduce_terms) F(rotate) F(scatter_add) F(tile) F(turn) F(unfold_items) F(unfold_rows)

static const char combine[] = {
#embed "cl/combine.cl"
    , 0};
static const char conv_filters[] = {
#embed "cl/conv_filters.cl"
    , 0};
static const char conv_finish[] = {
#embed "cl/conv_finish.cl"
    , 0};
static const char conv_images[] = {
#embed "cl/conv_images.cl"
    , 0};
static const char conv_sums[] = {
#embed "cl/conv_sums.cl"
    , 0};
static const char conv_taps[] = {
#embed "cl/conv_taps.cl"
    , 0};
static const char fold_items[] = {
#embed "cl/fold_items.cl"
    , 0};
static const char fold_rows[] = {
#embed "cl/fold_rows.cl"
    , 0};
static const char gather[] = {
#embed "cl/gather.cl"
    , 0};
static const char image[] = {
#embed "cl/image.cl"
    , 0};
static const char matmul_columns[] = {
#embed "cl/matmul_columns.cl"
    , 0};
static const char matmul_dots[] = {
#embed "cl/matmul_dots.cl"
    , 0};
static const char matmul_local[] = {
#embed "cl/matmul_local.cl"
    , 0};
static const char mirror[] = {
#embed "cl/mirror.cl"
    , 0};
static const char pack[] = {
#embed "cl/pack.cl"
    , 0};
static const char pad_items[] = {
#embed "cl/pad_items.cl"
    , 0};
static const char pad_rows[] = {
#embed "cl/pad_rows.cl"
    , 0};
static const char product[] = {
#embed "cl/product.cl"
    , 0};
static const char product_pack[] = {
#embed "cl/product_pack.cl"
    , 0};
static const char reduce_columns[] = {
#embed "cl/reduce_columns.cl"
    , 0};
static const char reduce_few[] = {
#embed "cl/reduce_few.cl"
    , 0};
static const char reduce_runs[] = {
#embed "cl/reduce_runs.cl"
    , 0};
static const char reduce_terms[] = {
#embed "cl/reduce_terms.cl"
    , 0};
static const char rotate[] = {
#embed "cl/rotate.cl"
    , 0};
static const char scatter_add[] = {
#embed "cl/scatter_add.cl"
    , 0};
static const char tile[] = {
#embed "cl/tile.cl"
    , 0};
static const char turn[] = {
#embed "cl/turn.cl"
    , 0};
static const char unfold_items[] = {
#embed "cl/unfold_items.cl"
    , 0};
static const char unfold_rows[] = {
#embed "cl/unfold_rows.cl"
    , 0};

const char *ls_kernel_text(const char *name) {
#define FIND(file) \
    if (strcmp(name, #file) == 0) return file;
    FILES(FIND)
    return NULL;
}
