import Graph
import Planner

/// One device that plans can run on. Calls are made from one thread.
public protocol Backend: AnyObject {
    /// What the device is.
    var device: DeviceInfo { get }

    /// What kernels can take in beside their own work.
    var plannerOptions: PlannerOptions { get }

    /// Elements of working memory that a kernel needs while it runs.
    func scratch(for kernel: Kernel, precision: Precision) -> Int

    /// Bytes that can still be allocated.
    var freeMemory: Int { get }

    /// Leaves no more than so many bytes in all to what is allocated from now on.
    func limitMemory(to bytes: Int)

    /// Makes a plan ready to run: kernels built, arena allocated.
    func compile(_ plan: Plan) throws(BackendError) -> any Executable

    /// Memory for `count` elements; its contents are zeros.
    func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray

    /// Copies bytes of the slice's own precision to the device. The source may be reused at once.
    func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError)

    /// Waits for all work before it and copies the slice's bytes to the host.
    func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError)

    /// Copies between two slices of one precision and length that do not overlap.
    func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError)

    /// Waits until everything asked for so far is done; reports what failed on the way.
    func synchronize() throws(BackendError)
}

/// A plan on its device.
public protocol Executable: AnyObject {
    /// The plan.
    var plan: Plan { get }

    /// Runs the plan on the given memory, in the order of the plan's inputs and outputs. Outputs overlap neither
    /// each other nor an input. Work may go on after the call returns.
    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError)
}

extension Backend {
    /// Backends that only pass on to others have no limit of their own.
    public func limitMemory(to bytes: Int) {}

    /// Nothing is taken in unless a backend says so.
    public var plannerOptions: PlannerOptions { PlannerOptions() }

    /// A plan of a program for this backend's kernels; `sumsInOrder` as in `PlannerOptions`.
    public func plan(
        _ program: Program, _ precision: Precision, sumsInOrder: Bool = false
    ) throws(BackendError) -> Plan {
        var plannerOptions = plannerOptions
        plannerOptions.sumsInOrder = sumsInOrder
        do throws(ProgramError) {
            return try Planner.plan(program, precision: precision, options: plannerOptions) {
                self.scratch(for: $0, precision: precision)
            }
        } catch {
            throw BackendError(.program, "a program cannot be planned: \(error)")
        }
    }

    /// Plans and compiles a program.
    public func compile(
        _ program: Program, _ precision: Precision, sumsInOrder: Bool = false
    ) throws(BackendError) -> any Executable {
        let executable: any Executable = try compile(
            try plan(program, precision, sumsInOrder: sumsInOrder))
        return Validation.isOn ? try ValidatingExecutable(executable, on: self) : executable
    }

    /// New memory with the given values.
    public func upload(_ values: [Double], _ precision: Precision) throws(BackendError) -> DeviceArray {
        let array = try allocate(values.count, precision)
        try write(values, to: array.all)
        return array
    }

    /// Copies values to the device, rounded to its precision.
    public func write(_ values: [Double], to slice: DeviceSlice) throws(BackendError) {
        precondition(values.count == slice.count, "\(values.count) values for \(slice.count) elements")
        if values.isEmpty { return }
        var failure: BackendError?
        func send(_ bytes: UnsafeRawBufferPointer) {
            do throws(BackendError) { try write(bytes, to: slice) } catch { failure = error }
        }
        switch slice.array.precision {
        case .float64: values.withUnsafeBytes(send)
        case .float32: values.map { Float($0) }.withUnsafeBytes(send)
        }
        if let failure { throw failure }
    }

    /// Copies float32 values to the device.
    public func write(_ values: [Float], to slice: DeviceSlice) throws(BackendError) {
        if slice.array.precision == .float64 { return try write(values.map(Double.init), to: slice) }
        precondition(values.count == slice.count, "\(values.count) values for \(slice.count) elements")
        if values.isEmpty { return }
        var failure: BackendError?
        values.withUnsafeBytes { bytes in
            do throws(BackendError) { try write(bytes, to: slice) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// The values of a slice, after all work before the call.
    public func download(_ slice: DeviceSlice) throws(BackendError) -> [Double] {
        if slice.count == 0 { return [] }
        var failure: BackendError?
        func fetch(_ bytes: UnsafeMutableRawBufferPointer) {
            do throws(BackendError) { try read(slice, into: bytes) } catch { failure = error }
        }
        var values: [Double]
        switch slice.array.precision {
        case .float64:
            values = [Double](repeating: 0, count: slice.count)
            values.withUnsafeMutableBytes(fetch)
        case .float32:
            var narrow = [Float](repeating: 0, count: slice.count)
            narrow.withUnsafeMutableBytes(fetch)
            values = narrow.map(Double.init)
        }
        if let failure { throw failure }
        return values
    }
}

/// Checks that every port of a plan is bound to memory of its size and precision, and that outputs are alone.
func checkBinding(_ plan: Plan, inputs: [DeviceSlice], outputs: [DeviceSlice]) {
    precondition(
        inputs.count == plan.inputs.count && outputs.count == plan.outputs.count,
        "\(inputs.count) inputs and \(outputs.count) outputs bound to a plan of \(plan.inputs.count) and "
            + "\(plan.outputs.count)")
    for (port, slice) in zip(plan.inputs + plan.outputs, inputs + outputs) {
        precondition(
            slice.count == port.shape.count && slice.array.precision == plan.precision,
            "\"\(port.name)\" is \(port.shape) in \(plan.precision), bound to \(slice.count) elements in "
                + "\(slice.array.precision)")
    }
    for (index, output) in outputs.enumerated() {
        let others = inputs + outputs[(index + 1)...]
        precondition(
            !others.contains { $0.overlaps(output) },
            "output \"\(plan.outputs[index].name)\" overlaps another binding")
    }
}
