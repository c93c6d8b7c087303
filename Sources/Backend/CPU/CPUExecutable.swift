import Planner

/// What a kernel of the CPU backend sees of one step: where its operands, result and working memory begin.
struct CPUBinding {
    var operands: [UnsafeRawPointer]
    var result: UnsafeMutableRawPointer
    var scratch: UnsafeMutableRawPointer?
}

/// A kernel prepared for the shapes of one step.
protocol CPUKernel {
    func run(_ binding: CPUBinding)
}

/// A plan of the CPU backend.
final class CPUExecutable: Executable {
    let plan: Plan
    private let kernels: [any CPUKernel]
    private let arena: DeviceArray
    private let tables: [DeviceArray]
    private let profiled: ProfiledPlan?

    init(_ plan: Plan, on backend: CPUBackend) throws(BackendError) {
        for step in plan.steps {
            if case .convolution(let shape) = step.kernel, CPUConvolution.isTooLarge(shape) {
                throw BackendError(
                    .unsupported,
                    "a convolution of images \(shape.x) is too large for the CPU backend: one padded image has at most 2^27 elements"
                )
            }
        }
        self.plan = plan
        profiled = ProfiledPlan(plan, on: backend.device)
        arena = try backend.allocate(plan.arenaCount, plan.precision)
        var tables: [DeviceArray] = []
        for table in plan.tables { tables.append(try backend.upload(table, plan.precision)) }
        self.tables = tables
        kernels = plan.steps.map { step in
            switch step.kernel {
            case .elementwise(let kernel): CPUElementwise(kernel, plan.precision)
            case .reduce(let kernel): CPUReduce(kernel, plan.precision)
            case .pad(let kernel): CPUPad(kernel, plan.precision)
            case .gather(let kernel): CPUIndexing(kernel, scatters: false, plan.precision)
            case .scatterAdd(let kernel): CPUIndexing(kernel, scatters: true, plan.precision)
            case .matmul(let kernel): CPUMatmul(kernel, plan.precision)
            case .convolution(let kernel):
                CPUConvolution(kernel, plan.precision, usesWinograd: backend.usesWinograd)
            }
        }
    }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        checkBinding(plan, inputs: inputs, outputs: outputs)
        let inputs = inputs.map(address), outputs = outputs.map(address)
        let arena = address(self.arena.all), tables = self.tables.map { address($0.all) }
        let bytes = plan.precision.bytes
        func locate(_ buffer: Buffer) -> UnsafeMutableRawPointer {
            let base =
                switch buffer.place {
                case .arena: arena
                case .input(let index): inputs[index]
                case .output(let index): outputs[index]
                case .table(let index): tables[index]
                }
            return base + buffer.offset * bytes
        }
        for (index, step) in plan.steps.enumerated() where step.count > 0 {
            let start = Profile.now
            kernels[index].run(
                CPUBinding(
                    operands: step.operands.map { UnsafeRawPointer(locate($0)) }, result: locate(step.result),
                    scratch: step.scratch.map(locate)))
            profiled?.record(step: index, start: start, end: Profile.now)
        }
    }
}
