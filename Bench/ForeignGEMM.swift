import Backend
import Foundation
import Planner

/// The matrix product of another library, found at run time, beside ours.
public struct ForeignGEMM {
    /// The libraries that are known.
    public static var names: [String] { all.map(\.name) }

    /// The library, which ends the names of its workloads.
    let name: String
    /// Prepares a product on a backend; nil where the library or the right kind of device is missing.
    let prepare: (GEMMShape, Precision, Setting) throws -> PreparedWorkload?

    /// All libraries that are known.
    static var all: [ForeignGEMM] { [clBlast, openBLAS] }

    func workload(_ shape: GEMMShape, _ precision: Precision) -> Workload {
        Workload("gemm/\(precision.rawValue)/\(shape.name)/\(name)", precision) { setting in
            try prepare(shape, precision, setting)
        }
    }

    /// A function of a library that is installed; nil if there is none.
    static func function<Signature>(_ symbol: String, in files: [String], as: Signature.Type) -> Signature? {
        for file in files {
            // Never closed: other threads of the library may still run.
            if let library = dlopen(file, RTLD_NOW | RTLD_LOCAL), let found = dlsym(library, symbol) {
                return unsafeBitCast(found, to: Signature.self)
            }
        }
        return nil
    }

    // MARK: CLBlast

    // Layout, transpositions, m, n, k, α, then buffer, offset and row length of a and b, β, c likewise, queue, event.
    private typealias CLBlastSgemm =
        @convention(c) (
            Int32, Int32, Int32, Int, Int, Int, Float, OpaquePointer, Int, Int, OpaquePointer, Int, Int,
            Float,
            OpaquePointer, Int, Int, UnsafeMutablePointer<OpaquePointer?>, UnsafeMutableRawPointer?
        ) -> Int32
    private typealias CLBlastDgemm =
        @convention(c) (
            Int32, Int32, Int32, Int, Int, Int, Double, OpaquePointer, Int, Int, OpaquePointer, Int, Int,
            Double,
            OpaquePointer, Int, Int, UnsafeMutablePointer<OpaquePointer?>, UnsafeMutableRawPointer?
        ) -> Int32
    private static let rowMajor: Int32 = 101, noTranspose: Int32 = 111

    private static var clBlast: ForeignGEMM {
        ForeignGEMM(name: "CLBlast") { shape, precision, setting in
            let files = ["libclblast.so.1", "libclblast.so"]
            let (m, n, k) = (shape.m, shape.n, shape.k)
            guard let device = setting.backend.inner as? OpenCLBackend,
                let single = function("CLBlastSgemm", in: files, as: CLBlastSgemm.self),
                let double = function("CLBlastDgemm", in: files, as: CLBlastDgemm.self)
            else { return nil }
            let operands = try Operands(shape, precision, setting)
            let (a, b) = (device.buffer(of: operands.a.array), device.buffer(of: operands.b.array))
            let c = device.buffer(of: operands.c.array)
            return PreparedWorkload(
                start: {
                    var queue: OpaquePointer? = device.commandQueue
                    let status =
                        switch precision {
                        case .float32:
                            single(
                                rowMajor, noTranspose, noTranspose, m, n, k, 1, a, 0, k, b, 0, n, 0, c, 0, n,
                                &queue, nil)
                        case .float64:
                            double(
                                rowMajor, noTranspose, noTranspose, m, n, k, 1, a, 0, k, b, 0, n, 0, c, 0, n,
                                &queue, nil)
                        }
                    if status != 0 { throw BenchError("CLBlast failed with status \(status)") }
                },
                check: { try operands.check(shape, precision, setting) }, bytes: operands.bytes,
                flops: shape.flops)
        }
    }

    // MARK: OpenBLAS

    // Layout, transpositions, m, n, k, α, then matrix and row length of a and b, β, c likewise.
    private typealias CBLASSgemm =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafeRawPointer, Int32, UnsafeRawPointer, Int32,
            Float,
            UnsafeMutableRawPointer, Int32
        ) -> Void
    private typealias CBLASDgemm =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafeRawPointer, Int32, UnsafeRawPointer,
            Int32, Double,
            UnsafeMutableRawPointer, Int32
        ) -> Void

    /// OpenBLAS with threads of its own, one per core, on memory of the host.
    private static var openBLAS: ForeignGEMM {
        ForeignGEMM(name: "OpenBLAS") { shape, precision, setting in
            let files = ["libopenblas.so.0", "libopenblas.so"]
            let (m, n, k) = (Int32(shape.m), Int32(shape.n), Int32(shape.k))
            let device = setting.backend.device
            guard device.backend == "cpu",
                let single = function("cblas_sgemm", in: files, as: CBLASSgemm.self),
                let double = function("cblas_dgemm", in: files, as: CBLASDgemm.self),
                let threads = function(
                    "openblas_set_num_threads", in: files, as: (@convention(c) (Int32) -> Void).self)
            else { return nil }
            let operands = try Operands(shape, precision, setting)
            let (a, b) = (HostBytes(operands.values.a, precision), HostBytes(operands.values.b, precision))
            let c = HostBytes([Double](repeating: 0, count: shape.m * shape.n), precision)
            return PreparedWorkload(
                start: {
                    // The backend itself wants one thread.
                    threads(Int32(device.computeUnits))
                    defer { threads(1) }
                    let (a, b, c) = (a.bytes.baseAddress!, b.bytes.baseAddress!, c.bytes.baseAddress!)
                    switch precision {
                    case .float32: single(rowMajor, noTranspose, noTranspose, m, n, k, 1, a, k, b, n, 0, c, n)
                    case .float64: double(rowMajor, noTranspose, noTranspose, m, n, k, 1, a, k, b, n, 0, c, n)
                    }
                },
                check: { shape.check(operands.values.a, operands.values.b, c.values, setting, precision) },
                bytes: operands.bytes, flops: shape.flops)
        }
    }
}

/// Matrices of a product, on the host and on the device: the same ones that ours multiplies.
private struct Operands {
    let values: (a: [Double], b: [Double])
    let a: DeviceSlice, b: DeviceSlice, c: DeviceSlice
    let bytes: Int
    private let backend: any Backend

    init(_ shape: GEMMShape, _ precision: Precision, _ setting: Setting) throws {
        backend = setting.backend
        values = (
            BoundProgram.random(shape.m * shape.k, setting.seed, "a", precision),
            BoundProgram.random(shape.k * shape.n, setting.seed, "b", precision)
        )
        a = try backend.upload(values.a, precision).all
        b = try backend.upload(values.b, precision).all
        c = try backend.allocate(shape.m * shape.n, precision).all
        bytes = (a.count + b.count + c.count) * precision.bytes
    }

    func check(_ shape: GEMMShape, _ precision: Precision, _ setting: Setting) throws -> Check {
        shape.check(values.a, values.b, try backend.download(c), setting, precision)
    }
}

extension BenchResult {
    /// The other library whose time this is; nil for our own.
    public var library: String? { ForeignGEMM.names.first { id.hasSuffix("/" + $0) } }
}
