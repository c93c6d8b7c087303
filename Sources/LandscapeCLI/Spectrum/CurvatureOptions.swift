import Analysis
import ArgumentParser
import Backend
import Graph
import Models
import Training

/// Which curvature matrix of a network.
struct CurvatureOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case hessian, ggn, residual, fisher
        case sampledFisher = "mc-fisher"
        case input, danskin
    }

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @Option(
        name: .customLong("operator"),
        help: ArgumentHelp(
            "hessian, ggn, residual, fisher, mc-fisher, input or danskin.",
            discussion: """
                ggn is the generalised Gauss-Newton matrix, residual the Hessian without it; fisher takes gradients with the \
                samples' own targets, mc-fisher with targets drawn from the model; input is the Hessian of every sample's \
                loss in its own inputs; danskin is the Hessian of the adversarial loss with the attack run again wherever \
                the weights move. With --attack, all others are taken at the attacked inputs, which are held.
                """))
    var matrix: Kind = .hessian

    @Option(help: "Targets drawn for every sample by mc-fisher.")
    var draws = 1

    @Flag(help: "Measure diag|θ|·A·diag|θ|: curvature relative to the size of every weight.")
    var scaled = false

    @Option(
        help: ArgumentHelp(
            "Only the block of these parameters: layers, tensors or regular expressions, such as 0,3.weight,.*bias.",
            valueName: "names"))
    var subset: String?

    @Option(
        help: ArgumentHelp(
            "With --subset: the block between those parameters and these; eigenvalues are ± its singular values.",
            valueName: "names"))
    var cross: String?

    func validate() throws {
        if !(1...10_000).contains(draws) {
            throw ValidationError("--draws is between 1 and 10,000, found \(draws)")
        }
        if draws != 1, matrix != .sampledFisher {
            throw ValidationError("--draws goes with --operator mc-fisher")
        }
        if cross != nil, subset == nil { throw ValidationError("--cross needs --subset") }
        guard [.input, .danskin].contains(matrix) else { return }
        if subset != nil || scaled {
            throw ValidationError("--subset and --scaled do not go with --operator \(matrix.rawValue)")
        }
    }

    /// What the matrix is called.
    var title: String {
        let name =
            switch matrix {
            case .hessian: "Hessian"
            case .ggn: "Gauss-Newton matrix"
            case .residual: "Hessian without its Gauss-Newton part"
            case .fisher: "empirical Fisher matrix"
            case .sampledFisher: "Fisher matrix of drawn targets"
            case .input: "input-space Hessian"
            case .danskin: "Hessian of the adversarial loss"
            }
        return (scaled ? "scaled " : "") + name
    }

    /// The kind, for matrices of weights.
    var curvature: Curvature? {
        switch matrix {
        case .hessian: .hessian
        case .ggn: .gaussNewton
        case .residual: .residual
        case .fisher: .empiricalFisher
        case .sampledFisher: .sampledFisher(draws: draws)
        case .input, .danskin: nil
        }
    }

    /// The chosen parameters; nil for all.
    func parameters(_ layout: ParameterLayout) throws -> (first: ParameterLayout, second: ParameterLayout?)? {
        guard let subset else { return nil }
        func select(_ flag: String, _ names: String) throws -> ParameterLayout {
            do {
                return try layout.selecting(names)
            } catch {
                throw CommandError("\(flag): \(error)")
            }
        }
        let first = try select("--subset", subset), second = try cross.map { try select("--cross", $0) }
        if let second, let shared = first.entries.first(where: { second[$0.name] != nil }) {
            throw CommandError("--subset and --cross both choose \(shared.name); they may not overlap")
        }
        return (first, second)
    }

    /// The operator of a study. Nil for `layout` if its vectors are not weights.
    func open(
        _ study: Study, attack: Attack?, seed: UInt64
    ) throws -> (matrix: any LinearOperator, layout: ParameterLayout?, risk: Risk) {
        guard let curvature else {
            if matrix == .input {
                let risk = try study.risk(attack: attack, seed: seed)
                return (try InputHessianOperator(risk), nil, risk)
            }
            guard let attack else { throw CommandError("--operator danskin needs --attack") }
            let risk = try study.risk(attack: attack, seed: seed)
            let danskin = try DanskinOperator(risk) { parameters throws(BackendError) in
                try study.evaluator.attacked(study.arrays, parameters: parameters, attack, seed: seed)
            }
            return (danskin, study.network.layout, risk)
        }
        let risk = try study.risk(attack: attack, seed: seed)
        if matrix == .sampledFisher {
            try risk.drawTargets(draws, from: loss == .mse ? .normal : .categorical, seed: seed)
        }
        let inner: CurvatureOperator
        switch try parameters(study.network.layout) {
        case nil: inner = try CurvatureOperator(curvature, of: risk)
        case let (first, nil)?: inner = try CurvatureOperator(curvature, of: risk, on: first)
        case let (first, second?)?:
            inner = try CurvatureOperator(curvature, of: risk, between: first, and: second)
        }
        return (scaled ? try self.scaled(inner, risk) : inner, inner.layout, risk)
    }

    /// The same block for other parameters.
    func block(_ layout: ParameterLayout, _ risk: Risk) throws -> any LinearOperator {
        guard let curvature else { preconditionFailure("\(matrix) has no blocks") }
        let inner = try CurvatureOperator(curvature, of: risk, on: layout)
        return scaled ? try self.scaled(inner, risk) : inner
    }

    private func scaled(_ inner: CurvatureOperator, _ risk: Risk) throws -> any LinearOperator {
        let backend = risk.space.backend, all = risk.programs.layout
        let theta = try backend.download(risk.parameters.all)
        let sizes = inner.layout.entries.flatMap { theta[all[$0.name]!.range].map(abs) }
        return CongruentOperator(inner, by: try backend.upload(sizes, risk.space.precision))
    }
}
