import Analysis
import Backend
import Planner
import TestSupport
import Testing

extension OnDevices {
    /// A product after the first one allocates nothing and compiles nothing, whether or not all batches are held.
    @Suite struct AllocationTests {
        @Test(arguments: TestDevices.selectors, [0, 1 << 40])
        func productsUseWhatIsThere(_ selector: String, freeMemory: Int) throws {
            let backend = CallCounter(try Devices.open(selector).backend, freeMemory: freeMemory)
            let problem = try Problem(
                "[1, 4, 4]", ["conv: {filters: 2, kernel: 3}", "relu", "flatten", "dense: 3"], count: 5,
                seed: 2, .crossEntropy)
            let risk = try problem.risk(on: backend, .float32, batchSize: 2)
            for product in [
                try CurvatureOperator(.hessian, of: risk) as any LinearOperator,
                try CurvatureOperator(.gaussNewton, of: risk),
            ] {
                let v = try risk.space.vector(), result = try risk.space.vector()
                try backend.write([Double](repeating: 1, count: v.count), to: v.all)
                try product.apply(v.all, into: result.all)
                let first = try backend.download(result.all)
                let before = (backend.allocations, backend.compilations)
                for _ in 0..<3 { try product.apply(v.all, into: result.all) }
                #expect((backend.allocations, backend.compilations) == before)
                #expect(try backend.download(result.all) == first)
            }
        }

        /// Where memory does not suffice for holding after all, products are made without it.
        @Test(arguments: TestDevices.selectors, ["held", "held values"])
        func holdingIsALuxury(_ selector: String, _ refused: String) throws {
            let backend = CallCounter(try Devices.open(selector).backend, freeMemory: 1 << 40)
            let plain = CallCounter(try Devices.open(selector).backend, freeMemory: 0)
            let problem = try Problem(
                "[1, 4, 4]", ["conv: {filters: 2, kernel: 3}", "relu", "flatten", "dense: 3"], count: 5,
                seed: 2,
                .crossEntropy)
            let results = try [backend, plain].map { backend in
                let risk = try problem.risk(on: backend, .float32, batchSize: 2)
                backend.refusesHeldPlans = refused == "held"
                let product = try CurvatureOperator(.hessian, of: risk)
                backend.refusesHeldPlans = false
                let v = try backend.upload([Double](repeating: 1, count: risk.space.dimension), .float32)
                let result = try risk.space.vector()
                backend.refusesAllocations = refused == "held values"
                try product.apply(v.all, into: result.all)
                return try backend.download(result.all)
            }
            #expect(mismatch(results[0], results[1], tolerance: 1e-5) == nil)
        }

        @Test(arguments: TestDevices.selectors)
        func holdingDoesNotChangeAProduct(_ selector: String) throws {
            let results = try [0, 1 << 40].map { freeMemory in
                let backend = CallCounter(try Devices.open(selector).backend, freeMemory: freeMemory)
                let problem = try Problem(
                    "[1, 4, 4]", ["conv: {filters: 2, kernel: 3}", "relu", "flatten", "dense: 3"], count: 5,
                    seed: 2, .crossEntropy)
                let risk = try problem.risk(on: backend, .float32, batchSize: 2)
                return try CurvatureOperator(.hessian, of: risk).apply(
                    (0..<risk.space.dimension).map { Double($0 % 5) - 2 })
            }
            #expect(mismatch(results[0], results[1], tolerance: 1e-5) == nil)
        }
    }
}

/// Counts what is asked of a device.
private final class CallCounter: Backend {
    private let inner: any Backend
    private(set) var allocations = 0, compilations = 0
    /// Whether memory runs out for plans that hold values, or for any further array.
    var refusesHeldPlans = false, refusesAllocations = false

    /// What holding believes to be free.
    let freeMemory: Int

    init(_ inner: any Backend, freeMemory: Int) { (self.inner, self.freeMemory) = (inner, freeMemory) }

    var device: DeviceInfo { inner.device }
    var plannerOptions: PlannerOptions { inner.plannerOptions }
    func scratch(for kernel: Kernel, precision: Precision) -> Int {
        inner.scratch(for: kernel, precision: precision)
    }
    func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        compilations += 1
        if refusesHeldPlans, plan.outputs.contains(where: { $0.name.hasPrefix("held") }) {
            throw BackendError(.outOfMemory, "refused")
        }
        return try inner.compile(plan)
    }
    func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        allocations += 1
        if refusesAllocations { throw BackendError(.outOfMemory, "refused") }
        return try inner.allocate(count, precision)
    }
    func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {
        try inner.write(bytes, to: slice)
    }
    func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
        try inner.read(slice, into: bytes)
    }
    func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {
        try inner.copy(source, to: target)
    }
    func synchronize() throws(BackendError) { try inner.synchronize() }
}
