// The patches of images: patches[image, u, v, row, column] = x[image, row·stride + u − padding, …], zeros
// outside. Channels count as images of their own.
//
// One work-item per matrix row (image, u, v): a plane of the patches, which it copies row by row. For
// processors; `unfold_items` is for devices that want many small items. Macros: NAME, REAL, WIDE (64-bit
// indices). Geometry: number of images; image height and width; kernel height and width; height and width of
// the output; vertical and horizontal stride; vertical and horizontal padding.
#ifndef NAME
#define NAME unfold_rows
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX height = g[1], width = g[2], kernel_h = g[3], kernel_w = g[4], out_h = g[5], out_w = g[6];
    const INDEX stride_h = g[7], stride_w = g[8];
    const INDEX v = (INDEX)get_global_id(0), u = (INDEX)get_global_id(1), image = (INDEX)get_global_id(2);
    x += x0 + (long)image * height * width;
    y += y0 + (((long)image * kernel_h + u) * kernel_w + v) * out_h * out_w;

    // Columns first..<end of the output see columns of the image.
    const INDEX shift_h = u - g[9], shift_w = v - g[10];
    INDEX first = shift_w < 0 ? (stride_w - 1 - shift_w) / stride_w : 0;
    INDEX end = shift_w < width ? (width - 1 - shift_w) / stride_w + 1 : 0;
    end = end < out_w ? end : out_w;
    first = first < end ? first : end;
    for (INDEX row = 0; row < out_h; row++, y += out_w) {
        const INDEX line = row * stride_h + shift_h;
        if (line < 0 || line >= height) {
            for (INDEX column = 0; column < out_w; column++) y[column] = 0;
            continue;
        }
        global const REAL *from = x + line * width + shift_w;
        for (INDEX column = 0; column < first; column++) y[column] = 0;
        if (stride_w == 1) {
            for (INDEX column = first; column < end; column++) y[column] = from[column];
        } else {
            for (INDEX column = first; column < end; column++) y[column] = from[column * stride_w];
        }
        for (INDEX column = end; column < out_w; column++) y[column] = 0;
    }
}

#undef INDEX
