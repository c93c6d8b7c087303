import Planner

/// A product or convolution whose epilogue runs over its result, in place, as a launch of its own.
struct OpenCLEpilogue: OpenCLKernel {
    private let product: any OpenCLKernel
    private let epilogue: OpenCLElementwise

    init(_ product: any OpenCLKernel, _ epilogue: Elementwise, _ target: OpenCLTarget) {
        self.product = product
        self.epilogue = OpenCLElementwise(epilogue, target)
    }

    var scratch: Int { product.scratch }

    func launches(_ memory: StepMemory) -> [Launch] {
        var factors = memory, loads = memory
        factors.operands = Array(memory.operands.prefix(2))
        // Load 0 is the product.
        loads.operands = [memory.result] + memory.operands.dropFirst(2)
        return product.launches(factors) + epilogue.launches(loads)
    }
}
