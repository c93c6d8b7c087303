import Analysis
import Backend
import Planner
import Testing

@testable import Bench

/// What the plans of real networks cost, as counted exactly: better plans may lower these numbers, nothing may raise
/// them. When a change lowers one, write the new number down.
@Suite struct PlanCostTests {
    struct Cost: CustomTestStringConvertible {
        var name: String, isHessian: Bool
        /// Steps, and in units of 10⁶: bytes on the device, operations, bytes moved.
        var steps: Int, peak: Double, flops: Double, moved: Double
        var testDescription: String { "\(name) \(isHessian ? "Hessian-vector product" : "gradient")" }
        var numbers: String { "steps: \(steps), peak: \(peak), flops: \(flops), moved: \(moved)" }
    }

    /// Upper bounds at batch 128 in float32, rounded up, without working memory, which is a matter of the backend.
    static let bounds = [
        Cost(name: "mlp", isHessian: false, steps: 30, peak: 24.4, flops: 1227.7, moved: 35.4),
        Cost(name: "mlp", isHessian: true, steps: 41, peak: 36.6, flops: 2522.2, moved: 72.9),
        Cost(name: "cnn", isHessian: false, steps: 36, peak: 33.6, flops: 4333.0, moved: 159.7),
        Cost(name: "cnn", isHessian: true, steps: 54, peak: 71.0, flops: 10462.1, moved: 403.0),
        Cost(name: "resnet20", isHessian: false, steps: 222, peak: 199.9, flops: 31392.1, moved: 1480.1),
        Cost(name: "resnet20", isHessian: true, steps: 384, peak: 579.6, flops: 83223.8, moved: 3864.7),
    ]

    @Test(arguments: bounds) func noPlanCostsMore(_ bound: Cost) throws {
        let item = try #require(try NetworkCase.all().first { $0.name == bound.name })
        let backend = PlanningBackend()
        let setting = Setting(backend: CountingBackend(backend), seed: 0, references: References())
        let risk = try item.risk(setting, .float32), vector = try risk.space.vector()
        if bound.isHessian {
            _ = try CurvatureOperator(.hessian, of: risk)
        } else {
            _ = try risk.gradient(into: vector.all)
        }
        let plan = try #require(backend.plans.last)
        let found = Cost(
            name: bound.name, isHessian: bound.isHessian, steps: plan.steps.count,
            peak: Double(plan.peakBytes) / 1e6, flops: Double(plan.flops) / 1e6,
            moved: Double(plan.bytesMoved) / 1e6)
        #expect(found.steps <= bound.steps, "\(found.numbers)")
        #expect(found.peak <= bound.peak, "\(found.numbers)")
        #expect(found.flops <= bound.flops, "\(found.numbers)")
        #expect(found.moved <= bound.moved, "\(found.numbers)")
    }
}

/// A device that plans and computes nothing.
private final class PlanningBackend: Backend {
    private(set) var plans: [Plan] = []
    let device = DeviceInfo(
        backend: "none", selector: "none", name: "none", platform: "", driver: "", kind: "simulator",
        computeUnits: 1, memoryBytes: 0, largestAllocationBytes: 0, hasFloat64: true)

    let plannerOptions = PlannerOptions.all
    let freeMemory = 0

    func scratch(for kernel: Kernel, precision: Precision) -> Int { 0 }
    func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        plans.append(plan)
        return Idle(plan: plan)
    }
    func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        DeviceArray(count: count, precision: precision)
    }
    func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {}
    func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {}
    func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {}
    func synchronize() throws(BackendError) {}

    private final class Idle: Executable {
        let plan: Plan
        init(plan: Plan) { self.plan = plan }
        func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {}
    }
}
