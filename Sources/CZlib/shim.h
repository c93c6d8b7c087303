// zlib, for gzip streams and the deflated members of .npz files.
#pragma once
#include <zlib.h>
