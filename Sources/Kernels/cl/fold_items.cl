// The transpose of unfolding: every pixel of x is the sum of the patch elements that were read from it, in
// the order of the kernel positions. Channels count as images of their own.
//
// Work-items (pixel, image). For devices that want many small items; `fold_rows` is for processors. Macros:
// NAME, REAL, WIDE (64-bit indices), GROUP (items per group). Geometry: number of images; image height and
// width; kernel height and width; height and width of the output; vertical and horizontal stride; vertical
// and horizontal padding.
#ifndef NAME
#define NAME fold_items
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef GROUP
#define GROUP 64
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *patches, long patches0, global REAL *restrict x, long x0,
          global const INDEX *g, int g0) {
    g += g0;
    const INDEX height = g[1], width = g[2], kernel_h = g[3], kernel_w = g[4], out_h = g[5], out_w = g[6];
    const INDEX stride_h = g[7], stride_w = g[8];
    const INDEX pixel = (INDEX)get_global_id(0), image = (INDEX)get_global_id(1);
    if (pixel >= height * width) return;
    x += x0 + (long)image * height * width;
    patches += patches0 + (long)image * kernel_h * kernel_w * out_h * out_w;
    const INDEX line = pixel / width + g[9], place = pixel % width + g[10];
    REAL sum = 0;
    for (INDEX u = 0; u < kernel_h && u <= line; u++) {
        const INDEX row = (line - u) / stride_h;
        if (row >= out_h || row * stride_h != line - u) continue;
        for (INDEX v = 0; v < kernel_w && v <= place; v++) {
            const INDEX column = (place - v) / stride_w;
            if (column >= out_w || column * stride_w != place - v) continue;
            sum += patches[((u * kernel_w + v) * out_h + row) * out_w + column];
        }
    }
    x[pixel] = sum;
}

#undef INDEX
