import COpenCL
import Planner

/// A plan of an OpenCL device. Arguments are set when it is made; those of inputs and outputs again when they
/// are bound to other memory than in the run before.
final class OpenCLExecutable: Executable {
    let plan: Plan
    private let backend: OpenCLBackend
    private let arena: OpenCLArray
    private let tables: [OpenCLArray]
    private let geometry: OpenCLTable, constants: OpenCLTable
    private let kernels: [OpenCLHandle]
    private let launches: [Sizes]
    /// Arguments that follow each input and output, and what they are set to.
    private var ports: [Port]
    private let profiled: ProfiledPlan?
    /// The step that each launch belongs to.
    private let stepOfLaunch: [Int]

    /// The size of one launch, as the driver reads it.
    private struct Sizes {
        var dimensions: cl_uint
        var global: (Int, Int, Int), local: (Int, Int, Int)
    }

    /// An input or output: where its pointer and first element are arguments.
    private struct Port {
        var uses: [(kernel: Int, argument: cl_uint, offset: Int)] = []
        var serial = 0, first = 0
    }

    init(_ plan: Plan, on backend: OpenCLBackend) throws(BackendError) {
        self.plan = plan
        self.backend = backend
        let context = backend.context
        arena = try OpenCLArray(count: plan.arenaCount, precision: plan.precision, on: context)
        var tables: [OpenCLArray] = []
        for table in plan.tables {
            let array = try OpenCLArray(count: table.count, precision: plan.precision, on: context)
            try backend.write(table, to: array.all)
            tables.append(array)
        }
        self.tables = tables

        let target = Self.target(plan, backend)
        profiled = ProfiledPlan(plan, on: backend.device)
        var launches: [Launch] = [], steps: [Int] = []
        for (index, step) in plan.steps.enumerated() where step.count > 0 {
            let made = target.kernel(step.kernel).launches(StepMemory(step)).filter { !$0.global.contains(0) }
            launches += made
            steps += made.map { _ in index }
        }
        stepOfLaunch = steps
        let numbers = Numbers(launches)
        geometry = try numbers.upload(isWide: target.isWide, context)
        constants = try numbers.uploadConstants(plan.precision, context)
        try backend.library.prepare(launches.map(\.source))

        var kernels: [OpenCLHandle] = []
        var ports = [Port](repeating: Port(), count: plan.inputs.count + plan.outputs.count)
        for (index, launch) in launches.enumerated() {
            let kernel = try backend.library.makeKernel(launch.source)
            try backend.checkLimits(kernel, launch)
            var arguments = ArgumentList(kernel, context)
            for buffer in launch.buffers {
                let port: Int? =
                    switch buffer.place {
                    case .input(let input): input
                    case .output(let output): plan.inputs.count + output
                    case .arena, .table: nil
                    }
                if let port {
                    ports[port].uses.append((index, arguments.count, buffer.offset))
                    arguments.skip(2)
                } else if case .table(let table) = buffer.place {
                    try arguments.add(tables[table].memory, buffer.offset)
                } else {
                    try arguments.add(arena.memory, buffer.offset)
                }
            }
            try arguments.add(geometry.memory, Int32(numbers.geometryStarts[index]))
            if !launch.constants.isEmpty {
                try arguments.add(constants.memory, Int32(numbers.constantStarts[index]))
            }
            kernels.append(kernel)
        }
        self.kernels = kernels
        self.ports = ports
        self.launches = launches.map { launch in
            func triple(_ sizes: [Int]) -> (Int, Int, Int) {
                (sizes[0], sizes.count > 1 ? sizes[1] : 1, sizes.count > 2 ? sizes[2] : 1)
            }
            return Sizes(
                dimensions: cl_uint(launch.global.count), global: triple(launch.global),
                local: triple(launch.local))
        }
    }

    /// 32-bit indices where they reach all elements of every step, rounded up to whole groups of tiles.
    static func target(_ plan: Plan, _ backend: OpenCLBackend) -> OpenCLTarget {
        let narrow = OpenCLTarget(precision: plan.precision, style: backend.style, isWide: false)
        let largest = plan.steps.reduce(0) {
            max($0, $1.largestIndex(scratch: narrow.kernel($1.kernel).scratch))
        }
        var target = narrow
        target.isWide = backend.style.isAlwaysWide || largest > Int(Int32.max) - (1 << 20)
        return target
    }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        checkBinding(plan, inputs: inputs, outputs: outputs)
        for (index, slice) in (inputs + outputs).enumerated() { try bind(index, slice) }
        if let profiled { return try run(keepingTimesIn: profiled) }
        for index in launches.indices { try launch(index, nil) }
        try backend.context.flush()
    }

    private func launch(_ index: Int, _ event: UnsafeMutablePointer<cl_event?>?) throws(BackendError) {
        let sizes = launches[index]
        let status = withUnsafeBytes(of: sizes.global) { global in
            withUnsafeBytes(of: sizes.local) { local in
                ls_clEnqueueNDRangeKernel(
                    backend.context.queue, kernels[index].pointer, sizes.dimensions,
                    global.assumingMemoryBound(to: Int.self).baseAddress,
                    local.assumingMemoryBound(to: Int.self).baseAddress, event)
            }
        }
        if status != 0 { try backend.context.check(status, "clEnqueueNDRangeKernel of launch \(index)") }
    }

    /// Waits for the run and reports when each step began and ended on the device.
    private func run(keepingTimesIn profile: ProfiledPlan) throws(BackendError) {
        var events = [cl_event?](repeating: nil, count: launches.count)
        for index in launches.indices { try launch(index, &events[index]) }
        try backend.context.finish()
        var first = 0
        for (index, event) in events.enumerated() {
            let isLast = index + 1 == events.count || stepOfLaunch[index + 1] != stepOfLaunch[index]
            if !isLast { continue }
            var (start, end, ignored) = (cl_ulong(0), cl_ulong(0), cl_ulong(0))
            var status = ls_clGetEventTimes(events[first], &start, &ignored)
            if status == 0 { status = ls_clGetEventTimes(event, &ignored, &end) }
            try backend.context.check(status, "clGetEventProfilingInfo")
            profile.record(step: stepOfLaunch[index], start: Double(start) * 1e-9, end: Double(end) * 1e-9)
            first = index + 1
        }
        for event in events { _ = ls_clReleaseEvent(event) }
    }

    private func bind(_ index: Int, _ slice: DeviceSlice) throws(BackendError) {
        let array = slice.openCLArray(backend.context)
        if ports[index].serial == array.serial && ports[index].first == slice.range.lowerBound { return }
        ports[index].serial = 0
        for use in ports[index].uses {
            var arguments = ArgumentList(kernels[use.kernel], backend.context, first: use.argument)
            try arguments.add(array.memory, slice.range.lowerBound + use.offset)
        }
        (ports[index].serial, ports[index].first) = (array.serial, slice.range.lowerBound)
    }
}

/// Sets a kernel's arguments one after the other.
private struct ArgumentList {
    private let kernel: OpenCLHandle
    private let context: OpenCLContext
    private(set) var count: cl_uint

    init(_ kernel: OpenCLHandle, _ context: OpenCLContext, first: cl_uint = 0) {
        (self.kernel, self.context, count) = (kernel, context, first)
    }

    mutating func skip(_ number: cl_uint) { count += number }

    /// A buffer, and the element of it to begin at as `long` or `int`.
    mutating func add(_ memory: cl_mem, _ start: some FixedWidthInteger) throws(BackendError) {
        var (memory, start) = (Optional(memory), start)
        let size = MemoryLayout.size(ofValue: start)
        var status = ls_clSetKernelArg(kernel.pointer, count, MemoryLayout<cl_mem>.size, &memory)
        if status == 0 { status = ls_clSetKernelArg(kernel.pointer, count + 1, size, &start) }
        try context.check(status, "clSetKernelArg \(count)")
        count += 2
    }
}

/// The geometries and constants of all launches, one after the other.
private struct Numbers {
    private var geometry: [Int] = [0, 0], constants: [Double] = [0, 0]
    private(set) var geometryStarts: [Int] = [], constantStarts: [Int] = []

    init(_ launches: [Launch]) {
        for launch in launches {
            geometryStarts.append(geometry.count + launch.preamble.count)
            constantStarts.append(constants.count)
            geometry += launch.preamble + launch.geometry
            constants += launch.constants
        }
    }

    func upload(isWide: Bool, _ context: OpenCLContext) throws(BackendError) -> OpenCLTable {
        try isWide ? table(geometry.map { Int64($0) }, context) : table(geometry.map { Int32($0) }, context)
    }

    func uploadConstants(_ precision: Precision, _ context: OpenCLContext) throws(BackendError) -> OpenCLTable
    {
        try precision == .float64 ? table(constants, context) : table(constants.map { Float($0) }, context)
    }

    private func table<Element>(_ values: [Element], _ context: OpenCLContext) throws(BackendError)
        -> OpenCLTable
    {
        let result = values.withUnsafeBytes { bytes in
            Result { () throws(BackendError) in try OpenCLTable(bytes, on: context) }
        }
        return try result.get()
    }
}

extension OpenCLBackend {
    /// Throws if the device cannot run a kernel in groups of this size. Some drivers abort the process.
    func checkLimits(_ kernel: OpenCLHandle, _ launch: Launch) throws(BackendError) {
        var (largest, local) = (0, cl_ulong(0))
        let items = launch.local.reduce(1, *)
        var status = ls_clGetKernelWorkGroupInfo(
            kernel.pointer, context.device, cl_kernel_work_group_info(CL_KERNEL_WORK_GROUP_SIZE), 8, &largest,
            nil)
        try context.check(status, "clGetKernelWorkGroupInfo")
        status = ls_clGetKernelWorkGroupInfo(
            kernel.pointer, context.device, cl_kernel_work_group_info(CL_KERNEL_LOCAL_MEM_SIZE), 8, &local,
            nil)
        try context.check(status, "clGetKernelWorkGroupInfo")
        if items > largest || local > cl_ulong(localMemoryBytes) {
            throw BackendError(
                .unsupported,
                "\(launch.source.name) needs groups of \(items) items and \(local) bytes of local memory; "
                    + "\(device.name) allows \(largest) items and \(localMemoryBytes) bytes")
        }
    }
}
