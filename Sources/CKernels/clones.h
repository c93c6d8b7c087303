// One binary for several instruction sets: the loader picks the best variant of each function.
// ThreadSanitizer cannot resolve variants before main, so its builds define LS_NO_CLONES.
#pragma once
#if defined(__x86_64__) && defined(__linux__) && !defined(LS_NO_CLONES)
#define LS_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define LS_CLONES
#endif

#define LS_JOIN_(a, b) a##b
#define LS_JOIN(a, b) LS_JOIN_(a, b)
