import Graph

/// Random programs over many primitives, for property tests: small shapes, values that stay moderate.
public enum RandomPrograms {
    /// A program with its inputs. Some of its values are shared, viewed and reduced again.
    public static func make(_ seed: UInt64, steps: Int = 24) -> (program: Program, inputs: [String: [Double]])
    {
        var random = TestRandom(seed: seed)
        let trace = Trace()
        var inputs: [String: [Double]] = [:]
        var pool: [Tensor] = []
        for index in 0..<3 {
            let shape = random.shape(2, 1...7)
            inputs["x\(index)"] = random.values(shape.count)
            pool.append(trace.input("x\(index)", shape))
        }
        let table = random.shape(2, 2...3)
        pool.append(trace.constant(random.values(table.count), table))
        pool.append(trace.constant(0.5, [2, 3]))
        for _ in 0..<steps { pool.append(step(pool, &random)) }
        let outputs = (0..<random.extent(1...4)).map { index in
            ("y\(index)", index == 0 ? pool.last! : pool.randomElement(using: &random)!)
        }
        return (trace.program(outputs), inputs)
    }

    private static func step(_ pool: [Tensor], _ r: inout TestRandom) -> Tensor {
        let x = pool.randomElement(using: &r)!
        // An operand of the same shape, made from any other one.
        let other = pool.filter { $0.shape == x.shape }.randomElement(using: &r)!
        let (m, n) = (x.shape[0], x.shape[1])
        switch r.extent(0...15) {
        case 0: return x + other
        case 1: return x * other
        case 2: return x.greater(than: other).select(x, else: other * 0.5)
        case 3: return x.apply([.tanh, .sigmoid, .erf, .sin, .hold, .softplus].randomElement(using: &r)!)
        case 4: return x.permuted([1, 0])
        case 5: return x.reshaped([n, m])
        case 6: return x.sum([r.extent(0...1)]).tanh()
        case 7: return x.max([r.extent(0...1)])
        case 8: return x.sum([0]).tanh().broadcast(to: [3, n])
        case 9:
            return x.sliced(starts: [m > 1 ? 1 : 0, 0], steps: [1, 2], shape: [max(1, m - 1), (n + 1) / 2])
        case 10: return m * n > 60 ? x : x.padded(starts: [1, 0], steps: [2, 1], shape: [2 * m + 1, n + 1])
        case 11: return x.matmul(other, transposeB: true).tanh()
        case 12: return x.matmul(x, transposeA: true).tanh()
        case 13: return x.gathered(at: x.trace.constant([0, Double(m - 1), Double(m)], [3]), axis: 0)
        case 14:
            return x.scattered(at: x.trace.constant((0..<n).map { Double($0 % 2) }, [n]), axis: 1, count: 2)
        default:
            let image = x.reshaped([1, 1, m, n])
            let filters = other.sliced(starts: [0, 0], shape: [1, 1]).reshaped([1, 1, 1, 1])
            return image.conv(filters, Window(padding: (1, 0))).reshaped([m + 2, n])
        }
    }
}
