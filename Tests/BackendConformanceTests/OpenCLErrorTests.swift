import Foundation
import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// What goes wrong is said plainly.
extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLErrorTests {
        private func message(_ kind: BackendError.Kind, _ body: () throws -> Void) -> String {
            do {
                try body()
            } catch let error as BackendError {
                #expect(error.kind == kind, "\(error)")
                return error.description
            } catch {
                Issue.record(error)
            }
            return ""
        }

        @Test func statusesHaveNames() {
            #expect(CLStatus(rawValue: -5).description == "CL_OUT_OF_RESOURCES (-5)")
            #expect(CLStatus(rawValue: -19).name == "CL_KERNEL_ARG_INFO_NOT_AVAILABLE")
            #expect(CLStatus(rawValue: -30).name == "CL_INVALID_VALUE")
            #expect(CLStatus(rawValue: -54).name == "CL_INVALID_WORK_GROUP_SIZE")
            #expect(CLStatus(rawValue: -72).name == "CL_MAX_SIZE_RESTRICTION_EXCEEDED")
            #expect(CLStatus.platformNotFound.name == "CL_PLATFORM_NOT_FOUND_KHR")
            #expect(CLStatus(rawValue: -25).name == "unknown status")
        }

        @Test func unknownDevicesAreListed() {
            let text = message(.noDevice) { _ = try Devices.open("opencl:99") }
            #expect(text.contains("no device opencl:99") && text.contains("opencl:0 is "), "\(text)")
            #expect(message(.noDevice) { _ = try Devices.open("opencl:x") }.contains("opencl:x"))
        }

        @Test(arguments: OpenCLTest.indices)
        func tooMuchMemory(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            let inUse = backend.context.ledger.inUse
            let most = backend.device.largestAllocationBytes
            let text = message(.outOfMemory) { _ = try backend.allocate(most / 4 + 1, .float32) }
            #expect(text.contains("asked for ") && text.contains("in use"), "\(text)")
            _ = message(.outOfMemory) { _ = try backend.allocate(Int.max, .float64) }
            #expect(backend.context.ledger.inUse == inUse)
            // The device still works, and freed memory counts as free.
            var array: DeviceArray? = try backend.allocate(1000, .float64)
            #expect(backend.context.ledger.inUse == inUse + 8000)
            #expect(array?.count == 1000)
            array = nil
            #expect(backend.context.ledger.inUse == inUse)
        }

        @Test func ledger() throws {
            let ledger = MemoryLedger(total: 100, largest: 60)
            try ledger.take(60)
            #expect(throws: BackendError.self) { try ledger.take(41) }
            try ledger.take(40)
            ledger.give(60)
            #expect(ledger.inUse == 40)
        }

        @Test(arguments: OpenCLTest.indices)
        func statusesOfMemory(_ index: Int) throws {
            let context = try OpenCLTest.open(index).context
            for status: Int32 in [-4, -5, -6] {
                #expect(message(.outOfMemory) { try context.check(status, "clX") }.contains("clX"))
            }
            #expect(
                message(.device) { try context.check(-36, "clX") }.contains("CL_INVALID_COMMAND_QUEUE (-36)"))
        }

        @Test(arguments: OpenCLTest.indices)
        func buildErrorsShowTheLine(_ index: Int) throws {
            let backend = try OpenCLTest.open(index, cache: nil)
            let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: false)
            let broken = KernelSource(
                "broken", body: "kernel void NAME(global REAL *x) { x[0] = nothing; }", target)
            let text = message(.build) { try backend.library.prepare([broken]) }
            #expect(
                text.contains("CL_BUILD_PROGRAM_FAILURE (-11)") && text.contains("-cl-std=CL1.2"), "\(text)")
            #expect(text.contains("line 4: kernel void NAME"), "\(text)")
            #expect(backend.kernelsBuiltFromSource == 0)
        }

        @Test(arguments: OpenCLTest.indices)
        func groupsThatAreTooLarge(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: false)
            let source = KernelSource(file: "scatter_add", target, [("GROUP", 64)])
            try backend.library.prepare([source])
            let kernel = try backend.library.makeKernel(source)
            let launch = Launch(source, [], geometry: [], items: [1 << 20], group: [1 << 20])
            #expect(
                message(.unsupported) { try backend.checkLimits(kernel, launch) }.contains("1048576 items"))
        }

        // MARK: Loader and drivers, each in a process of its own, before the loader is first used

        @Test func noDriver() async {
            await #expect(processExitsWith: .success) {
                try OpenCLTest.withFolder { path in
                    setenv("OCL_ICD_VENDORS", path, 1)
                    let found = OpenCLDevices.all()
                    #expect(found.devices.isEmpty)
                    #expect(found.problem?.contains("no OpenCL driver is registered") == true, "\(found)")
                    #expect(throws: BackendError.self) { _ = try Devices.open("opencl") }
                    let automatic = try Devices.open("auto")
                    #expect(automatic.backend.device.selector == "cpu")
                    #expect(automatic.note?.contains("no OpenCL driver is registered") == true)
                }
            }
        }

        @Test func brokenDriver() async {
            await #expect(processExitsWith: .success) {
                try OpenCLTest.withFolder { path in
                    let file = URL(fileURLWithPath: path + "/broken.icd")
                    try Data("libnothing-of-that-name.so\n".utf8).write(to: file)
                    setenv("OCL_ICD_VENDORS", path, 1)
                    let problem = OpenCLDevices.all().problem ?? ""
                    #expect(problem.contains("broken.icd names libnothing-of-that-name.so"), "\(problem)")
                }
            }
        }

        @Test func platformWithoutDevices() async {
            await #expect(processExitsWith: .success) {
                setenv("OCL_ICD_VENDORS", "/etc/OpenCL/vendors/pocl.icd", 1)
                setenv("POCL_DEVICES", "nonesuch", 1)
                let problem = OpenCLDevices.all().problem ?? ""
                #expect(problem.contains("no OpenCL platform has a device: Portable Computing"), "\(problem)")
                #expect(problem.contains("POCL_CACHE_DIR"), "\(problem)")
            }
        }

        @Test func noLoader() async {
            await #expect(processExitsWith: .success) {
                setenv("LANDSCAPE_OPENCL", "libnothing-of-that-name.so", 1)
                let problem = OpenCLDevices.all().problem ?? ""
                #expect(problem.contains("no OpenCL loader library was found (libnothing"), "\(problem)")
            }
        }
    }
}
