// OpenCL 1.2 for Swift, with the loader found at run time: nothing is linked, so a program starts without it.
#pragma once
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <stdbool.h>

// Status of every call while there is no loader; also what a loader says that has no drivers.
enum { LS_NO_PLATFORM = -1001 };

// Whether libOpenCL was found, or the library that LANDSCAPE_OPENCL names instead.
bool ls_cl_has_loader(void);

// Why it was not found, or an empty text.
const char *ls_cl_loader_error(void);

// Each function below calls the OpenCL function of its name.

cl_int ls_clGetPlatformIDs(cl_uint capacity, cl_platform_id *platforms, cl_uint *count);
cl_int ls_clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                            size_t *needed);
cl_int ls_clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint capacity,
                         cl_device_id *devices, cl_uint *count);
cl_int ls_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value,
                          size_t *needed);

// A context of one device.
cl_context ls_clCreateContext(cl_platform_id platform, cl_device_id device, cl_int *status);
cl_int ls_clReleaseContext(cl_context context);

// An in-order queue; events of one that keeps times tell when commands ran.
cl_command_queue ls_clCreateCommandQueue(cl_context context, cl_device_id device, bool keeps_times, cl_int *status);
cl_int ls_clReleaseCommandQueue(cl_command_queue queue);
cl_int ls_clFlush(cl_command_queue queue);
cl_int ls_clFinish(cl_command_queue queue);

cl_mem ls_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *status);
cl_int ls_clReleaseMemObject(cl_mem memory);

cl_program ls_clCreateProgramWithSource(cl_context context, const char *text, size_t length, cl_int *status);
cl_program ls_clCreateProgramWithBinary(cl_context context, cl_device_id device, const unsigned char *bytes,
                                        size_t length, cl_int *status);
cl_int ls_clBuildProgram(cl_program program, cl_device_id device, const char *options);
cl_int ls_clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value,
                           size_t *needed);
cl_int ls_clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what,
                                size_t size, void *value, size_t *needed);
cl_int ls_clReleaseProgram(cl_program program);

cl_kernel ls_clCreateKernel(cl_program program, const char *name, cl_int *status);
cl_int ls_clReleaseKernel(cl_kernel kernel);
cl_int ls_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value);
cl_int ls_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                   size_t size, void *value, size_t *needed);

// Commands wait for all earlier ones of the queue. A launch makes an event if there is a place for it.
cl_int ls_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                 const size_t *global, const size_t *local, cl_event *event);
// When a finished command began and ended, in nanoseconds of the device's clock.
cl_int ls_clGetEventTimes(cl_event event, cl_ulong *start, cl_ulong *end);
cl_int ls_clReleaseEvent(cl_event event);
cl_int ls_clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, bool blocks, size_t offset, size_t size,
                              void *target);
cl_int ls_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, bool blocks, size_t offset, size_t size,
                               const void *source);
cl_int ls_clEnqueueCopyBuffer(cl_command_queue queue, cl_mem source, cl_mem target, size_t source_offset,
                              size_t target_offset, size_t size);
cl_int ls_clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                              size_t offset, size_t size);

// Macros with casts, which Swift cannot read.
static inline cl_device_type ls_all_device_types(void) { return CL_DEVICE_TYPE_ALL; }
