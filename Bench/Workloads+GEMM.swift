import Data
import Graph
import Planner

/// The extents of a matrix product `[m, k]·[k, n]`.
struct GEMMShape {
    let m: Int, n: Int, k: Int

    static func square(_ n: Int) -> GEMMShape { GEMMShape(m: n, n: n, k: n) }

    var name: String { m == n && n == k ? "\(n)" : "\(m)x\(n)x\(k)" }
    var flops: Int { 2 * m * n * k }
    var program: Program {
        .trace { t in [("c", t.input("a", [m, k]).matmul(t.input("b", [k, n])))] }
    }

    /// Compares `c` with `a·b` along a random direction of signs: `c·x` with `a·(b·x)`, all in float64. A single
    /// wrong element shows as an error of about 1/√n, rounding as one of about ε·√k.
    func check(_ a: [Double], _ b: [Double], _ c: [Double], _ setting: Setting, _ precision: Precision)
        -> Check
    {
        var stream = RandomStream(seed: setting.seed, purpose: "bench signs")
        let x = stream.rademachers(n)
        return Check(
            Self.product(c, m, n, x), Self.product(a, m, k, Self.product(b, k, n, x)),
            tolerance: 16 * precision.epsilon * Double(k).squareRoot())
    }

    private static func product(_ matrix: [Double], _ rows: Int, _ columns: Int, _ x: [Double]) -> [Double] {
        matrix.withUnsafeBufferPointer { matrix in
            x.withUnsafeBufferPointer { x in
                (0..<rows).map { row in
                    var sum = 0.0
                    for column in 0..<columns { sum += matrix[row * columns + column] * x[column] }
                    return sum
                }
            }
        }
    }
}

extension Workload {
    /// Matrix products: squares, odd extents, a tall one and a thin one.
    static func gemm() -> [Workload] {
        let tall = GEMMShape(m: 50_000, n: 64, k: 64)
        let odd = GEMMShape(m: 1021, n: 1019, k: 1023), thin = GEMMShape(m: 1024, n: 1024, k: 7)
        let shapes = [128, 256, 512, 1024, 2048].map(GEMMShape.square) + [odd, tall, thin]
        return Precision.allCases.flatMap { precision in
            shapes.flatMap { shape in
                let isQuick = precision == .float32 ? ["256", "1024", thin.name] : ["512"]
                return [ours(shape, precision, quick: isQuick.contains(shape.name))]
                    + ForeignGEMM.all.map { $0.workload(shape, precision) }
            }
        }
    }

    private static func ours(_ shape: GEMMShape, _ precision: Precision, quick: Bool) -> Workload {
        Workload("gemm/\(precision.rawValue)/\(shape.name)", quick: quick, precision) { setting in
            let bound = try BoundProgram(shape.program, setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    shape.check(
                        bound.values["a"]!, bound.values["b"]!, try bound.result(), setting, precision)
                })
        }
    }
}
