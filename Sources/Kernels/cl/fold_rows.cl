// The transpose of unfolding: every pixel of x is the sum of the patch elements that were read from it, in
// the order of the kernel positions. Channels count as images of their own.
//
// One work-item per image, which it clears first. For processors; `fold_items` is for devices that want many
// small items. Macros: NAME, REAL, WIDE (64-bit indices). Geometry: number of images; image height and
// width; kernel height and width; height and width of the output; vertical and horizontal stride; vertical
// and horizontal padding.
#ifndef NAME
#define NAME fold_rows
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
void NAME(global const REAL *patches, long patches0, global REAL *restrict x, long x0,
          global const INDEX *g, int g0) {
    g += g0;
    const INDEX height = g[1], width = g[2], kernel_h = g[3], kernel_w = g[4], out_h = g[5], out_w = g[6];
    const INDEX stride_h = g[7], stride_w = g[8], image = (INDEX)get_global_id(0);
    x += x0 + (long)image * height * width;
    patches += patches0 + (long)image * kernel_h * kernel_w * out_h * out_w;
    for (INDEX i = 0; i < height * width; i++) x[i] = 0;
    for (INDEX u = 0; u < kernel_h; u++) {
        for (INDEX v = 0; v < kernel_w; v++) {
            // Columns first..<end of the output see columns of the image.
            const INDEX shift_h = u - g[9], shift_w = v - g[10];
            INDEX first = shift_w < 0 ? (stride_w - 1 - shift_w) / stride_w : 0;
            INDEX end = shift_w < width ? (width - 1 - shift_w) / stride_w + 1 : 0;
            end = end < out_w ? end : out_w;
            for (INDEX row = 0; row < out_h; row++, patches += out_w) {
                const INDEX line = row * stride_h + shift_h;
                if (line < 0 || line >= height) continue;
                global REAL *to = x + line * width + shift_w;
                if (stride_w == 1) {
                    for (INDEX column = first; column < end; column++) to[column] += patches[column];
                } else {
                    for (INDEX column = first; column < end; column++)
                        to[column * stride_w] += patches[column];
                }
            }
        }
    }
}

#undef INDEX
