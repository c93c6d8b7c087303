# shellcheck shell=bash
# Finds and installs the system packages that `landscape` and `test` need. Sourced, never run.

# Says something on stderr; stdout belongs to the command.
say() { printf '%s\n' "$*" >&2; }

# Stops when there is no Swift compiler, or one that is too old.
require_swift() {
    if ! command -v swift >/dev/null; then
        say "landscape needs Swift 6.1 or later, and there is no 'swift' on the PATH: see swift.org/install"
        exit 1
    fi
    local version
    version=$(swift --version 2>/dev/null |
        sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
    local major=${version% *} minor=${version#* }
    if [[ -n $version ]] && ((major < 6 || (major == 6 && minor < 1))); then
        say "landscape needs Swift 6.1 or later; 'swift' on the PATH is $major.$minor: see swift.org/install"
        exit 1
    fi
}

# Whether a file that matches one of the patterns exists.
any_file() { compgen -G "$1" >/dev/null || { (($# > 1)) && any_file "${@:2}"; }; }

# Whether the compiler would find a header or a library, without asking dpkg.
have_header() { any_file "/usr/include/$1" "/usr/include/*/$1" "/usr/local/include/$1"; }
have_library() { any_file "/usr/lib/$1" "/usr/lib64/$1" "/usr/lib/*/$1" "/usr/local/lib/$1"; }

# Where oclgrind keeps the library that an OpenCL loader can load.
oclgrind_library() {
    compgen -G '/usr/lib*/oclgrind/liboclgrind-rt-icd.so' ||
        compgen -G '/usr/lib/*/oclgrind/liboclgrind-rt-icd.so'
}

# Whether some registered OpenCL driver is really there: its .icd file may outlive it.
have_opencl_driver() {
    [[ -n ${OCL_ICD_VENDORS:-} ]] && return 0
    local icd library
    for icd in /etc/OpenCL/vendors/*.icd; do
        [[ -r $icd ]] || continue
        library=$(head -n 1 "$icd")
        [[ -e $library ]] && return 0
        [[ -n $library ]] && have_library "$library" && return 0
        PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -F "${library:-none}" >/dev/null && return 0
    done
    return 1
}

# Whether what the Debian package $1 brings is present, from whatever source.
have_package() {
    case $1 in
    opencl-headers) have_header CL/cl.h ;;
    ocl-icd-opencl-dev) have_library libOpenCL.so ;;
    libopenblas-dev) have_header cblas.h && have_library libopenblas.so ;;
    zlib1g-dev) have_header zlib.h && have_library libz.so ;;
    pocl-opencl-icd) have_opencl_driver ;;
    gnuplot-nox) command -v gnuplot >/dev/null ;;
    oclgrind) oclgrind_library >/dev/null ;;
    *) return 1 ;;
    esac
}

# Prints those of the named packages that are missing.
missing_packages() {
    local package
    for package in "$@"; do
        have_package "$package" || printf '%s\n' "$package"
    done
}

# Installs the named packages as far as this user can. The caller looks at what is still missing.
install_packages() {
    local -a become=()
    command -v apt-get >/dev/null || return 0
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || return 0
        become=(sudo -n)
    fi
    say "installing: $*"
    local -a install=("${become[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends "$@")
    # Package lists may be missing or stale: only then are they fetched.
    "${install[@]}" >&2 </dev/null && return 0
    "${become[@]}" apt-get update >&2 </dev/null || true
    "${install[@]}" >&2 </dev/null || true
}

# ensure_packages "<essential ...>" "<optional ...>": installs what is missing. Returns 1 when an
# essential package stays missing; an optional one only costs a line.
ensure_packages() {
    local -a essential optional missing
    read -ra essential <<<"$1"
    read -ra optional <<<"$2"
    mapfile -t missing < <(missing_packages "${essential[@]}" "${optional[@]}")
    ((${#missing[@]} == 0)) && return 0
    install_packages "${missing[@]}"

    mapfile -t missing < <(missing_packages "${essential[@]}")
    if ((${#missing[@]} > 0)); then
        say "these system packages are needed and could not be installed here; please run:"
        say "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        return 1
    fi
    local package
    for package in $(missing_packages "${optional[@]}"); do
        case $package in
        pocl-opencl-icd) say "no OpenCL implementation here (for one: sudo apt-get install $package)" ;;
        gnuplot-nox) say "no gnuplot: figures stay undrawn (for it: sudo apt-get install $package)" ;;
        *) say "$package is not here (for it: sudo apt-get install $package)" ;;
        esac
    done
    return 0
}

# What a build cannot do without, and what a run is poorer without.
# shellcheck disable=SC2034  # both are used by the scripts that source this file
build_packages="opencl-headers ocl-icd-opencl-dev libopenblas-dev zlib1g-dev"
# shellcheck disable=SC2034
run_packages="pocl-opencl-icd gnuplot-nox"
