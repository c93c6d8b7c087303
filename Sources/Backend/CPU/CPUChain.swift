import CKernels
import Graph
import Planner

/// A fused chain as `CKernels` reads it: its terms become instructions on a few registers of one block each.
final class CPUChain {
    private(set) var chain = ls_chain()
    /// Instructions of one element, a function counted as four.
    let cost: Int
    private let instructions: UnsafeMutableBufferPointer<ls_instruction>
    private let loads: UnsafeMutableBufferPointer<ls_load>
    private let constants: UnsafeMutableBufferPointer<Double>
    private let constantRegisters: UnsafeMutableBufferPointer<Int32>

    init(_ expression: Expression, _ values: [Double], _ walk: Walk) {
        precondition(walk.dims.count <= Int(LS_MAX_RANK), "a walk over \(walk.dims.count) axes")
        let code = RegisterCode(expression, loads: walk.strides.count, values.count)
        instructions = .allocate(capacity: max(1, code.instructions.count))
        _ = instructions.initialize(from: code.instructions)
        constants = .allocate(capacity: max(1, values.count))
        _ = constants.initialize(from: values)
        constantRegisters = .allocate(capacity: max(1, values.count))
        _ = constantRegisters.initialize(from: code.constantRegisters)
        loads = .allocate(capacity: max(1, walk.strides.count))
        for (index, strides) in walk.strides.enumerated() {
            var load = ls_load()
            load.target = code.loadRegisters[index]
            load.kind =
                switch walk.pattern(index) {
                case .scalar: 0
                case .linear: 1
                case .strided: 2
                }
            setArray(&load.strides, strides)
            loads.initializeElement(at: index, to: load)
        }
        cost = expression.terms.reduce(walk.strides.count) {
            if case .function = $1 { $0 + 4 } else { $0 + 1 }
        }
        chain.instruction_count = Int32(code.instructions.count)
        chain.load_count = Int32(walk.strides.count)
        chain.constant_count = Int32(values.count)
        chain.register_count = code.registerCount
        chain.result_register = code.resultRegister
        chain.rank = Int32(walk.dims.count)
        setArray(&chain.dims, walk.dims)
        chain.instructions = UnsafePointer(instructions.baseAddress)
        chain.loads = UnsafePointer(loads.baseAddress)
        chain.constants = UnsafePointer(constants.baseAddress)
        chain.constant_registers = UnsafePointer(constantRegisters.baseAddress)
    }

    deinit {
        instructions.deallocate()
        loads.deallocate()
        constants.deallocate()
        constantRegisters.deallocate()
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
