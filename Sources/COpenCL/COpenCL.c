#include "COpenCL.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// Every OpenCL function that is called, by its name without "cl".
#define FUNCTIONS(F) \
    F(GetPlatformIDs) F(GetPlatformInfo) F(GetDeviceIDs) F(GetDeviceInfo) F(CreateContext) F(ReleaseContext) \
    F(CreateCommandQueue) F(ReleaseCommandQueue) F(Flush) F(Finish) F(CreateBuffer) F(ReleaseMemObject) \
    F(CreateProgramWithSource) F(CreateProgramWithBinary) F(BuildProgram) F(GetProgramInfo) \
    F(GetProgramBuildInfo) F(ReleaseProgram) F(CreateKernel) F(ReleaseKernel) F(SetKernelArg) \
    F(GetKernelWorkGroupInfo) F(EnqueueNDRangeKernel) F(EnqueueReadBuffer) F(EnqueueWriteBuffer) \
    F(EnqueueCopyBuffer) F(EnqueueFillBuffer) F(GetEventProfilingInfo) F(ReleaseEvent)

#define POINTER(name) __typeof__(&cl##name) name;
static struct { FUNCTIONS(POINTER) } cl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded = false;
static char problem[512] = "";

// PoCL compiles each kernel a second time, for small grids, unless told not to. Done before `main`, because
// setting a variable is not safe beside other threads.
__attribute__((constructor)) static void spare_compilations(void) {
    setenv("POCL_WORK_GROUP_SPECIALIZATION", "0", 0);
}

static void load(void) {
    const char *own = getenv("LANDSCAPE_OPENCL");
    void *library = dlopen(own ? own : "libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *text = dlerror();
        snprintf(problem, sizeof problem, "%s", text ? text : "libOpenCL.so.1 cannot be opened");
        if (!own) library = dlopen("libOpenCL.so", RTLD_NOW | RTLD_LOCAL);
    }
    if (!library) return;
#define FIND(name) \
    *(void **)&cl.name = dlsym(library, "cl" #name); \
    if (!cl.name) { \
        snprintf(problem, sizeof problem, "libOpenCL has no function cl" #name " (OpenCL 1.2)"); \
        return; \
    }
    FUNCTIONS(FIND)
    problem[0] = 0;
    is_loaded = true;
}

bool ls_cl_has_loader(void) {
    pthread_once(&once, load);
    return is_loaded;
}

const char *ls_cl_loader_error(void) { return ls_cl_has_loader() ? "" : problem; }

#define CALL(name, ...) (ls_cl_has_loader() ? cl.name(__VA_ARGS__) : LS_NO_PLATFORM)

// For functions that return a handle and give the status through a pointer.
#define MAKE(name, ...) \
    if (!ls_cl_has_loader()) { \
        *status = LS_NO_PLATFORM; \
        return NULL; \
    } \
    return cl.name(__VA_ARGS__)

cl_int ls_clGetPlatformIDs(cl_uint capacity, cl_platform_id *platforms, cl_uint *count) {
    return CALL(GetPlatformIDs, capacity, platforms, count);
}

cl_int ls_clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                            size_t *needed) {
    return CALL(GetPlatformInfo, platform, what, size, value, needed);
}

cl_int ls_clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint capacity,
                         cl_device_id *devices, cl_uint *count) {
    return CALL(GetDeviceIDs, platform, type, capacity, devices, count);
}

cl_int ls_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value,
                          size_t *needed) {
    return CALL(GetDeviceInfo, device, what, size, value, needed);
}

cl_context ls_clCreateContext(cl_platform_id platform, cl_device_id device, cl_int *status) {
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)platform, 0};
    MAKE(CreateContext, properties, 1, &device, NULL, NULL, status);
}

cl_int ls_clReleaseContext(cl_context context) { return CALL(ReleaseContext, context); }

cl_command_queue ls_clCreateCommandQueue(cl_context context, cl_device_id device, bool keeps_times, cl_int *status) {
    MAKE(CreateCommandQueue, context, device, keeps_times ? CL_QUEUE_PROFILING_ENABLE : 0, status);
}

cl_int ls_clReleaseCommandQueue(cl_command_queue queue) { return CALL(ReleaseCommandQueue, queue); }

cl_int ls_clFlush(cl_command_queue queue) { return CALL(Flush, queue); }

cl_int ls_clFinish(cl_command_queue queue) { return CALL(Finish, queue); }

cl_mem ls_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *status) {
    MAKE(CreateBuffer, context, flags, size, host, status);
}

cl_int ls_clReleaseMemObject(cl_mem memory) { return CALL(ReleaseMemObject, memory); }

cl_program ls_clCreateProgramWithSource(cl_context context, const char *text, size_t length, cl_int *status) {
    MAKE(CreateProgramWithSource, context, 1, &text, &length, status);
}

cl_program ls_clCreateProgramWithBinary(cl_context context, cl_device_id device, const unsigned char *bytes,
                                        size_t length, cl_int *status) {
    MAKE(CreateProgramWithBinary, context, 1, &device, &length, &bytes, NULL, status);
}

cl_int ls_clBuildProgram(cl_program program, cl_device_id device, const char *options) {
    return CALL(BuildProgram, program, 1, &device, options, NULL, NULL);
}

cl_int ls_clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value,
                           size_t *needed) {
    return CALL(GetProgramInfo, program, what, size, value, needed);
}

cl_int ls_clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what,
                                size_t size, void *value, size_t *needed) {
    return CALL(GetProgramBuildInfo, program, device, what, size, value, needed);
}

cl_int ls_clReleaseProgram(cl_program program) { return CALL(ReleaseProgram, program); }

cl_kernel ls_clCreateKernel(cl_program program, const char *name, cl_int *status) {
    MAKE(CreateKernel, program, name, status);
}

cl_int ls_clReleaseKernel(cl_kernel kernel) { return CALL(ReleaseKernel, kernel); }

cl_int ls_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    return CALL(SetKernelArg, kernel, index, size, value);
}

cl_int ls_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                   size_t size, void *value, size_t *needed) {
    return CALL(GetKernelWorkGroupInfo, kernel, device, what, size, value, needed);
}

cl_int ls_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                 const size_t *global, const size_t *local, cl_event *event) {
    return CALL(EnqueueNDRangeKernel, queue, kernel, dimensions, NULL, global, local, 0, NULL, event);
}

cl_int ls_clGetEventTimes(cl_event event, cl_ulong *start, cl_ulong *end) {
    const cl_int status =
        CALL(GetEventProfilingInfo, event, CL_PROFILING_COMMAND_START, sizeof *start, start, NULL);
    if (status) return status;
    return CALL(GetEventProfilingInfo, event, CL_PROFILING_COMMAND_END, sizeof *end, end, NULL);
}

cl_int ls_clReleaseEvent(cl_event event) { return CALL(ReleaseEvent, event); }

cl_int ls_clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, bool blocks, size_t offset, size_t size,
                              void *target) {
    return CALL(EnqueueReadBuffer, queue, memory, blocks ? CL_TRUE : CL_FALSE, offset, size, target, 0, NULL,
                NULL);
}

cl_int ls_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, bool blocks, size_t offset, size_t size,
                               const void *source) {
    return CALL(EnqueueWriteBuffer, queue, memory, blocks ? CL_TRUE : CL_FALSE, offset, size, source, 0, NULL,
                NULL);
}

cl_int ls_clEnqueueCopyBuffer(cl_command_queue queue, cl_mem source, cl_mem target, size_t source_offset,
                              size_t target_offset, size_t size) {
    return CALL(EnqueueCopyBuffer, queue, source, target, source_offset, target_offset, size, 0, NULL, NULL);
}

cl_int ls_clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                              size_t offset, size_t size) {
    return CALL(EnqueueFillBuffer, queue, memory, pattern, pattern_size, offset, size, 0, NULL, NULL);
}
