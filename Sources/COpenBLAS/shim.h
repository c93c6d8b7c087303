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

// Cholesky factor of a real symmetric positive definite matrix; info > 0 names the first minor that is not.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

// Solves with a Cholesky factor.
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info);

// Reciprocal condition number in the 1-norm, estimated from a Cholesky factor.
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm, double *rcond,
             double *work, int *iwork, int *info);
