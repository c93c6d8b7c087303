import Backend
import Graph
import Planner
import Testing

@testable import Bench

/// The checks that every result passes before its time is shown: right results pass, one wrong element does not.
@Suite struct CheckTests {
    private let setting = Setting(
        backend: CountingBackend(CPUBackend()), seed: 3, references: References())

    private func random(_ count: Int, _ purpose: String) -> [Double] {
        BoundProgram.random(count, 3, purpose, .float32)
    }

    @Test(arguments: [GEMMShape(m: 5, n: 7, k: 3), GEMMShape(m: 130, n: 1, k: 90), .square(64)])
    func aWrongElementOfAProductShows(_ shape: GEMMShape) {
        let a = random(shape.m * shape.k, "a"), b = random(shape.k * shape.n, "b")
        var c = Interpreter.run(shape.program, ["a": a, "b": b])[0].map { Double(Float($0)) }
        #expect(shape.check(a, b, c, setting, .float32).passes)
        c[c.count / 2] += 0.05 * Double(shape.k).squareRoot()
        #expect(!shape.check(a, b, c, setting, .float32).passes)
        c[c.count / 2] = .nan
        #expect(!shape.check(a, b, c, setting, .float32).passes)
    }

    @Test(arguments: ConvolutionRole.allCases)
    func aWrongElementOfAConvolutionShows(_ role: ConvolutionRole) {
        for shape in [
            ConvolutionShape(images: 3, channels: 2, size: 6, filters: 4),
            ConvolutionShape(images: 2, channels: 3, size: 7, filters: 2, stride: 2),
            ConvolutionShape(images: 2, channels: 3, size: 5, filters: 5, kernel: 1),
        ] {
            let values = [
                "x": random(shape.x.count, "x"), "w": random(shape.w.count, "w"),
                "y": random(shape.y.count, "y"),
            ]
            var result = Interpreter.run(role.program(shape), values)[0].map { Double(Float($0)) }
            #expect(role.check(shape, values, result, setting, .float32).passes, "\(shape.name)")
            for place in [0, result.count / 2, result.count - 1] {
                let right = result[place]
                result[place] += 0.05
                #expect(!role.check(shape, values, result, setting, .float32).passes, "\(shape.name)")
                result[place] = right
            }
        }
    }

    @Test func anAnalysisIsCountedAsItsPlans() throws {
        let shape = GEMMShape(m: 6, n: 4, k: 5)
        let bound = try BoundProgram(shape.program, setting, .float32)
        let work = try setting.backend.work {
            try bound.start()
            try bound.start()
        }
        #expect(work == Work(flops: 2 * shape.flops, bytes: 2 * 4 * (30 + 20 + 24)))
    }

    /// The plan, the device and the interpreter agree on whole networks, to rounding and not by luck.
    @Test(arguments: [
        "work/cnn/gradient", "work/cnn/hessian-vector", "work/cnn/training-step", "kernel/cnn/full-32",
    ])
    func networksAgreeWithTheirReference(_ name: String) throws {
        let workload = try #require(try Catalogue.workloads().first { $0.id == name })
        let session = try BenchSession("cpu", BenchOptions(), references: SharedReferences())
        let ready = try #require(try session.prepare(workload))
        let (check, work, _) = try ready.check()
        #expect(check.passes && check.error > 0 && check.error < 1e-3, "\(check)")
        #expect(work.flops > 1_000_000_000 && work.bytes > 1_000_000)
    }

    @Test func aWrongResultGetsNoTime() throws {
        func workload(_ error: Double) -> Workload {
            Workload("launch/made-up") { _ in
                PreparedWorkload(start: {}, check: { Check(error: error, tolerance: 0.1) })
            }
        }
        let options = BenchOptions(rule: SamplingRule(budget: 0.01))
        let session = try BenchSession("cpu", options, references: SharedReferences())
        #expect(try session.measure(workload(0.05))?.samples.isEmpty == false)
        for error in [0.2, .infinity, .nan] {
            let failure = #expect(throws: BenchError.self) { try session.measure(workload(error)) }
            #expect(failure?.description.contains("the result is wrong") == true)
        }
    }

    @Test func combinationsRunAlongTheirAxis() {
        // 0 − 2 + 4, 1 − 3 + 5, 6 − 8 + 10, 7 − 9 + 11.
        let values = (0..<12).map(Double.init)
        let result = ConvolutionRole.combine(values, [2, 3, 2], 1, [1, -1, 1])
        #expect(result == [2, 3, 8, 9])
    }
}

/// The list of measurements, and requests by name.
@Suite struct CatalogueTests {
    @Test func namesAreUniqueAndEveryGroupHasQuickOnes() throws {
        let all = try Catalogue.workloads()
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(all.map(\.group)) == Set(Catalogue.groups.map(\.name)))
        for group in Catalogue.groups { #expect(all.contains { $0.group == group.name && $0.isQuick }) }
    }

    @Test func selection() throws {
        let all = try Catalogue.workloads()
        func ids(_ parts: [String], quick: Bool = false) throws -> [String] {
            try Catalogue.select(parts, from: all, quick: quick).map(\.id)
        }
        #expect(try ids(["launch"]) == ["launch/back-to-back", "launch/single"])
        #expect(try ids([]).count == all.count && ids([], quick: true).count < all.count / 2)
        #expect(try ids(["gemm/float64"]).allSatisfy { $0.hasPrefix("gemm/float64/") })
        #expect(try ids(["work/resnet20/gradient"], quick: true) == ["work/resnet20/gradient"])
        // The beginning of a word is no part of a name.
        #expect(throws: BenchError.self) { try ids(["laun"]) }
    }

    @Test func requestsAreAnswered() throws {
        let server = try BenchServer("cpu", BenchOptions())
        let time = try server.answer("launch/single")
        #expect(time.contains("\"id\":\"launch/single\"") && time.contains("\"seconds\":"), "\(time)")
        let check = try server.answer("check launch/single")
        #expect(check.contains("\"error\":0,") && !check.contains("problem"), "\(check)")
        #expect(try server.answer("nothing").contains("there is no measurement"))
        #expect(try server.answer("").contains("expected the name"))
        #expect(try server.answer("gemm/float32/128/CLBlast").contains("not available"))
    }
}
