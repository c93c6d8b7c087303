#include "CDigits.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char digits[] = {
#embed "digits.bin"
};

const unsigned char *digits_bytes(size_t *count) {
    *count = sizeof digits;
    return digits;
}
