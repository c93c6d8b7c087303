// CBLAS as OpenBLAS ships it, and prototypes of the few LAPACK routines the library calls.
// Debian's OpenBLAS exports LAPACK's Fortran symbols but no lapacke.h.
#pragma once
#include <cblas.h>

// Eigenvalues and eigenvectors of a real symmetric matrix (divide and conquer).
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

// Eigenvalues and eigenvectors of a real symmetric tridiagonal matrix.
void dstev_(const char *jobz, const int *n, double *d, double *e, double *z, const int *ldz,
            double *work, int *info);
