import CKernels
import Graph
import Planner

/// A fused chain: its terms become instructions on a few registers of one block each.
final class CPUElementwise: CPUKernel {
    private var chain = ls_chain()
    private let precision: Precision
    private let count: Int
    private let instructions: UnsafeMutableBufferPointer<ls_instruction>
    private let loads: UnsafeMutableBufferPointer<ls_load>
    private let constants: UnsafeMutableBufferPointer<Double>
    private let constantRegisters: UnsafeMutableBufferPointer<Int32>
    /// Elements per piece of parallel work, a multiple of the block.
    private let grain: Int

    init(_ kernel: Elementwise, _ precision: Precision) {
        self.precision = precision
        count = kernel.count
        precondition(kernel.walk.dims.count <= Int(LS_MAX_RANK), "a walk over \(kernel.walk.dims.count) axes")
        let code = RegisterCode(kernel.expression, loads: kernel.walk.strides.count, kernel.constants.count)
        instructions = .allocate(capacity: max(1, code.instructions.count))
        _ = instructions.initialize(from: code.instructions)
        constants = .allocate(capacity: max(1, kernel.constants.count))
        _ = constants.initialize(from: kernel.constants)
        constantRegisters = .allocate(capacity: max(1, kernel.constants.count))
        _ = constantRegisters.initialize(from: code.constantRegisters)
        loads = .allocate(capacity: max(1, kernel.walk.strides.count))
        for (index, strides) in kernel.walk.strides.enumerated() {
            var load = ls_load()
            load.target = code.loadRegisters[index]
            load.kind =
                switch kernel.walk.pattern(index) {
                case .scalar: 0
                case .linear: 1
                case .strided: 2
                }
            setArray(&load.strides, strides)
            loads.initializeElement(at: index, to: load)
        }
        chain.instruction_count = Int32(code.instructions.count)
        chain.load_count = Int32(kernel.walk.strides.count)
        chain.constant_count = Int32(kernel.constants.count)
        chain.register_count = code.registerCount
        chain.result_register = code.resultRegister
        chain.rank = Int32(kernel.walk.dims.count)
        setArray(&chain.dims, kernel.walk.dims)
        chain.instructions = UnsafePointer(instructions.baseAddress)
        chain.loads = UnsafePointer(loads.baseAddress)
        chain.constants = UnsafePointer(constants.baseAddress)
        chain.constant_registers = UnsafePointer(constantRegisters.baseAddress)
        // About 50 µs of work on one core.
        let usesFunctions = kernel.expression.terms.contains {
            if case .function = $0 { true } else { false }
        }
        grain = 256 * max(8, (usesFunctions ? 64 : 256) / max(1, code.instructions.count))
    }

    deinit {
        instructions.deallocate()
        loads.deallocate()
        constants.deallocate()
        constantRegisters.deallocate()
    }

    func run(_ binding: CPUBinding) {
        withUnsafePointer(to: chain) { chain in
            switch precision {
            case .float32:
                let operands = binding.operands.map { Optional($0.assumingMemoryBound(to: Float.self)) }
                let result = binding.result.assumingMemoryBound(to: Float.self)
                Parallel.forRanges(count, grain: grain) { range in
                    ls_elementwise_f32(
                        chain, operands, result, Int64(range.lowerBound), Int64(range.upperBound))
                }
            case .float64:
                let operands = binding.operands.map { Optional($0.assumingMemoryBound(to: Double.self)) }
                let result = binding.result.assumingMemoryBound(to: Double.self)
                Parallel.forRanges(count, grain: grain) { range in
                    ls_elementwise_f64(
                        chain, operands, result, Int64(range.lowerBound), Int64(range.upperBound))
                }
            }
        }
    }
}

/// An expression with its terms assigned to registers, which are reused after their last reader.
private struct RegisterCode {
    var instructions: [ls_instruction] = []
    var loadRegisters: [Int32]
    var constantRegisters: [Int32]
    var registerCount: Int32
    var resultRegister: Int32 = 0

    init(_ expression: Expression, loads: Int, _ constants: Int) {
        // Operands and constants keep their registers: they are filled outside the instructions.
        loadRegisters = (0..<Int32(loads)).map { $0 }
        constantRegisters = (0..<Int32(constants)).map { Int32(loads) + $0 }
        registerCount = Int32(loads + constants)
        var lastUse = [Int](repeating: 0, count: expression.terms.count)
        for (index, term) in expression.terms.enumerated() {
            for operand in term.operands { lastUse[operand] = index }
        }
        var registers: [Int32] = []
        var free: [Int32] = []
        for (index, term) in expression.terms.enumerated() {
            switch term {
            case .load(let n): registers.append(loadRegisters[n])
            case .constant(let n): registers.append(constantRegisters[n])
            default:
                // The result never shares a register with an operand of the same instruction.
                let result = free.popLast() ?? registerCount
                registerCount = max(registerCount, result + 1)
                registers.append(result)
                instructions.append(Self.instruction(term, result, registers))
                for operand in Set(term.operands) where lastUse[operand] == index {
                    switch expression.terms[operand] {
                    case .load, .constant: break
                    default: free.append(registers[operand])
                    }
                }
            }
        }
        resultRegister = registers.last ?? 0
    }

    private static func instruction(_ term: Expression.Term, _ result: Int32, _ r: [Int32]) -> ls_instruction
    {
        switch term {
        case .add(let a, let b):
            ls_instruction(op: Int32(LS_OP_ADD), result: result, a: r[a], b: r[b], c: r[a])
        case .mul(let a, let b):
            ls_instruction(op: Int32(LS_OP_MUL), result: result, a: r[a], b: r[b], c: r[a])
        case .greater(let a, let b):
            ls_instruction(op: Int32(LS_OP_GREATER), result: result, a: r[a], b: r[b], c: r[a])
        case .select(let a, let b, let c):
            ls_instruction(op: Int32(LS_OP_SELECT), result: result, a: r[a], b: r[b], c: r[c])
        case .function(let function, let a):
            ls_instruction(op: ls_function_code(function.rawValue), result: result, a: r[a], b: r[a], c: r[a])
        case .load, .constant: preconditionFailure("operands are not instructions")
        }
    }
}

/// Fills a C array of `LS_MAX_RANK` 64-bit integers.
func setArray<Tuple>(_ target: inout Tuple, _ values: [Int]) {
    withUnsafeMutableBytes(of: &target) { bytes in
        let numbers = bytes.bindMemory(to: Int64.self)
        precondition(
            values.count <= numbers.count, "\(values.count) axes, at most \(numbers.count) are possible")
        for (index, value) in values.enumerated() { numbers[index] = Int64(value) }
    }
}
