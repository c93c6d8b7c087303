// The patches of images: patches[image, u, v, row, column] = x[image, row·stride + u − padding, …], zeros
// outside. Channels count as images of their own.
//
// Work-items (output position, kernel position, image). For devices that want many small items;
// `unfold_rows` is for processors. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group).
// Geometry: number of images; image height and width; kernel height and width; height and width of the
// output; vertical and horizontal stride; vertical and horizontal padding.
#ifndef NAME
#define NAME unfold_items
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
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX height = g[1], width = g[2], kernel_h = g[3], kernel_w = g[4], out_h = g[5], out_w = g[6];
    const INDEX position = (INDEX)get_global_id(0), tap = (INDEX)get_global_id(1);
    const INDEX image = (INDEX)get_global_id(2);
    if (position >= out_h * out_w) return;
    const INDEX u = tap / kernel_w, v = tap - u * kernel_w;
    const INDEX row = position / out_w, column = position - row * out_w;
    const INDEX line = row * g[7] + u - g[9], place = column * g[8] + v - g[10];
    const int inside = line >= 0 && line < height && place >= 0 && place < width;
    x += x0 + (long)image * height * width;
    y += y0 + ((long)image * kernel_h * kernel_w + tap) * out_h * out_w;
    y[position] = inside ? x[line * width + place] : (REAL)0;
}

#undef INDEX
