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
        Cost(name: "mlp", isHessian: false, steps: 44, peak: 28.1, flops: 1227.5, moved: 59.8),
        Cost(name: "mlp", isHessian: true, steps: 56, peak: 39.7, flops: 2521.9, moved: 98.3),
        Cost(name: "cnn", isHessian: false, steps: 54, peak: 48.1, flops: 4327.7, moved: 345.1),
        Cost(name: "cnn", isHessian: true, steps: 74, peak: 84.0, flops: 10456.9, moved: 604.4),
        Cost(name: "resnet20", isHessian: false, steps: 339, peak: 296.4, flops: 31368.0, moved: 2539.3),
        Cost(name: "resnet20", isHessian: true, steps: 521, peak: 635.3, flops: 83199.7, moved: 5116.8),
    ]

    @Test(arguments: bounds) func noPlanCostsMore(_ bound: Cost) throws {
        let item = try #require(try NetworkCase.all().first { $0.name == bound.name })
        let backend = PlanningBackend()
        let setting = Setting(backend: CountingBackend(backend), seed: 0, references: References())
        let risk = try item.risk(setting, .float32), vector = try risk.space.vector()
        if bound.isHessian { _ = try HessianOperator(risk) } else { _ = try risk.gradient(into: vector.all) }
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
