import Planner

/// One kernel and all that it is given. Its arguments are every buffer as pointer and first element, then the
/// geometry, then the constants if there are any, each as pointer and first element.
struct Launch {
    var source: KernelSource
    var buffers: [Buffer]
    /// Extents, strides and the like; every kernel's header comment lists its own.
    var geometry: [Int]
    /// Numbers that lie just before the geometry, for what is not the kernel's own.
    var preamble: [Int] = []
    var constants: [Double] = []
    /// Work-items along each axis, at least those that are needed, and items per group.
    var global: [Int], local: [Int]
    /// How the kernel hands over the results that it completes, if it has a place for an epilogue.
    var finish: OpenCLEpilogue.Place?

    init(
        _ source: KernelSource, _ buffers: [Buffer], geometry: [Int], constants: [Double] = [], items: [Int],
        group: [Int] = [], finish: OpenCLEpilogue.Place? = nil
    ) {
        self.source = source
        self.buffers = buffers
        self.geometry = geometry
        self.constants = constants
        self.finish = finish
        local = group + Array(repeating: 1, count: items.count - group.count)
        global = zip(items, local).map { ($0 + $1 - 1) / $1 * $1 }
    }
}

/// Where a step's operands, result and working memory lie.
struct StepMemory {
    var operands: [Buffer]
    var result: Buffer
    var scratch: Buffer?

    init(_ step: Step) { (operands, result, scratch) = (step.operands, step.result, step.scratch) }

    init(operands: [Buffer], result: Buffer) { (self.operands, self.result) = (operands, result) }

    /// Working memory from one of its elements on.
    func scratch(at offset: Int) -> Buffer {
        guard let scratch else { preconditionFailure("a kernel uses working memory it did not ask for") }
        return scratch + offset
    }
}

/// A kernel of a plan, prepared for a target.
protocol OpenCLKernel {
    /// Elements of working memory.
    var scratch: Int { get }
    /// What is run, in order.
    func launches(_ memory: StepMemory) -> [Launch]
}

extension OpenCLKernel {
    var scratch: Int { 0 }
}

extension OpenCLTarget {
    /// The implementation of a kernel.
    func kernel(_ kernel: Kernel) -> any OpenCLKernel {
        guard let epilogue = kernel.epilogue else { return plain(kernel) }
        return OpenCLEpilogue(plain(kernel), epilogue, self)
    }

    /// The implementation of a kernel without its epilogue.
    private func plain(_ kernel: Kernel) -> any OpenCLKernel {
        switch kernel {
        case .elementwise(let kernel): OpenCLElementwise(kernel, self)
        case .reduce(let kernel): OpenCLReduce(kernel, self)
        case .pad(let kernel): OpenCLPad(kernel, self)
        case .gather(let kernel): OpenCLIndexing(kernel, scatters: false, self)
        case .scatterAdd(let kernel): OpenCLIndexing(kernel, scatters: true, self)
        case .matmul(let kernel): product(kernel)
        case .convolution(let kernel): convolution(kernel)
        }
    }
}

extension OpenCLTarget {
    /// The kernel of a product that suits its shape and the device.
    private func product(_ kernel: MatrixProduct) -> any OpenCLKernel {
        if let packed = OpenCLPanelProduct(kernel, self) { return packed }
        if let local = OpenCLLocalMatmul(kernel, self) { return local }
        return OpenCLMatmul(kernel, self)
    }

    /// The kernel of a convolution that suits its shape and the device.
    private func convolution(_ kernel: Convolution) -> any OpenCLKernel {
        if !style.hasManyItems {
            return kernel.role == .filterGradient
                ? OpenCLFilterGradient(kernel, self) : OpenCLTiledConvolution(kernel, self)
        }
        if let local = OpenCLLocalConvolution(kernel, self) { return local }
        return OpenCLConvolution(kernel, self)
    }
}

extension Step {
    /// The largest index that its kernels can meet, counted from the first element of any buffer.
    func largestIndex(scratch: Int) -> Int {
        func span(_ dims: [Int], _ strides: [Int]) -> Int {
            zip(dims, strides).reduce(0) { $0 + max(0, $1.0 - 1) * $1.1 }
        }
        let operands: [Int] =
            switch kernel {
            case .elementwise(let kernel): kernel.walk.strides.map { span(kernel.walk.dims, $0) }
            case .reduce(let kernel):
                kernel.kept.strides.indices.map {
                    span(kernel.kept.dims, kernel.kept.strides[$0])
                        + span(kernel.reduced.dims, kernel.reduced.strides[$0])
                } + [kernel.count * kernel.terms]
            default:
                meaning.inputs.map { $0.shape.count }
                    + (kernel.epilogue.map { epilogue in
                        epilogue.walk.strides.map { span(epilogue.walk.dims, $0) }
                    } ?? [])
            }
        return (operands + [count, scratch]).reduce(0, max)
    }
}

/// A buffer that begins later.
func + (buffer: Buffer, offset: Int) -> Buffer { Buffer(buffer.place, offset: buffer.offset + offset) }
