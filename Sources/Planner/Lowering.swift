import Graph

/// A step before its buffers have places.
struct Draft {
    /// Part of the buffer of a node.
    struct Operand {
        var node: Int
        var offset: Int
    }
    var kernel: Kernel
    var operands: [Operand]
    /// The node whose value is computed; `nodes.count + i` for a copy made for output `i`.
    var result: Int
    var count: Int
    var meaning: Program
}

/// Turns a program into drafts: fuses elementwise chains and reads shape operations through views.
struct Lowering {
    let program: Program
    let options: PlannerOptions
    let live: [Bool]
    /// For every node, the node whose buffer holds its value, and the view on it. Nil until it is needed.
    private var views: [(base: Int, view: View)?]
    private let fusion: Fusion
    /// Nodes that have a buffer of their own.
    private(set) var materialised: [Bool]
    private(set) var drafts: [Draft] = []
    /// Which output a draft's result is written to.
    private(set) var outputOfNode: [Int: Int] = [:]

    init(_ program: Program, _ options: PlannerOptions = PlannerOptions()) {
        (self.program, self.options) = (program, options)
        live = program.liveness
        views = Array(repeating: nil, count: program.nodes.count)
        materialised = Array(repeating: false, count: program.nodes.count)
        fusion = Fusion(program, live: live, options)
        for id in program.nodes.indices where live[id] { lower(id) }
        for index in program.outputs.indices { lowerOutput(index) }
    }

    /// An output needs a buffer of its own: the node's if it is free, else a copy.
    private mutating func lowerOutput(_ index: Int) {
        let port = program.outputs[index]
        if nodes[port.node].isFill { materialise(port.node) }
        let (base, view) = view(of: port.node)
        let isWhole = view.isContiguous && view.offset == 0 && nodes[base].shape.count == port.shape.count
        let isGiven = nodes[base].operands.isEmpty && !drafts.contains { $0.result == base }
        if isWhole && !isGiven && outputOfNode[base] == nil {
            outputOfNode[base] = index
        } else {
            appendElementwise(root: port.node, result: nodes.count + index, copies: true)
            outputOfNode[nodes.count + index] = index
        }
    }

    private var nodes: [Node] { program.nodes }

    private mutating func lower(_ id: Int) {
        let node = nodes[id]
        switch node.primitive {
        case .input, .constant(.table):
            materialised[id] = true
            views[id] = (id, View(node.shape))
        case .constant(.fill), .reshape, .permute, .broadcast, .slice:
            break  // Read through views; given a buffer only if someone needs one.
        case .add, .mul, .select, .greater, .elementwise:
            if !fusion.isInlined[id] { materialise(id) }
        case .reduceSum, .reduceMax:
            emitReduction(id)
        case .pad(let starts, let steps):
            let kernel = Kernel.pad(
                Padding(
                    part: nodes[Int(node.a)].shape.dims, whole: node.shape.dims, starts: starts, steps: steps)
            )
            emit(kernel, id)
        case .gather(let axis):
            emit(.gather(indexing(whole: nodes[Int(node.a)].shape, axis, id)), id)
        case .scatterAdd(let axis):
            emit(.scatterAdd(indexing(whole: node.shape, axis, id)), id)
        case .matmul, .conv, .dgrad, .wgrad:
            if !fusion.hasEpilogue[id] { emit(product(id), id) }
        }
    }

    /// The kernel of a matrix product or convolution.
    private func product(_ id: Int, epilogue: Elementwise? = nil) -> Kernel {
        let node = nodes[id]
        let (a, b, y) = (nodes[Int(node.a)].shape, nodes[Int(node.b)].shape, node.shape)
        switch node.primitive {
        case .matmul(let transposeA, let transposeB):
            return .matmul(
                MatrixProduct(
                    batches: y.dims.dropLast(2).reduce(1, *), m: y[-2], n: y[-1],
                    k: a[transposeA ? -2 : -1], transposeA: transposeA, transposeB: transposeB,
                    isGram: node.a == node.b && transposeA != transposeB,
                    sumsInOrder: options.sumsInOrder, epilogue: epilogue))
        case .conv(let window):
            return .convolution(
                Convolution(role: .forward, window: window, x: a, w: b, y: y, epilogue: epilogue))
        case .dgrad(let window):
            return .convolution(
                Convolution(role: .inputGradient, window: window, x: y, w: b, y: a, epilogue: epilogue))
        case .wgrad(let window):
            return .convolution(
                Convolution(role: .filterGradient, window: window, x: a, w: y, y: b, epilogue: epilogue))
        default: fatalError("\(node.primitive.name) is no product")
        }
    }

    // MARK: Views

    /// The buffer and view that hold a node's value, materialising what no view can express.
    private mutating func view(of id: Int) -> (base: Int, view: View) {
        if let known = views[id] { return known }
        let node = nodes[id]
        switch node.primitive {
        case .reshape, .permute, .broadcast, .slice:
            let (base, view) = view(of: Int(node.a))
            if let next = view.applying(node) {
                views[id] = (base, next)
                return (base, next)
            }
            // A reshape of something scattered: the operand is copied into order first.
            materialise(Int(node.a))
            return self.view(of: id)
        default:
            materialise(id)
            return views[id]!
        }
    }

    /// Gives a node a contiguous buffer that holds exactly its value.
    private mutating func materialise(_ id: Int) {
        if materialised[id] { return }
        appendElementwise(root: id, result: id, copies: !nodes[id].primitive.isElementwise)
    }

    /// Where a node's elements lie one after the other, copying them into order if they do not.
    private mutating func contiguous(_ id: Int) -> Draft.Operand {
        if nodes[id].isFill || !view(of: id).view.isContiguous { materialise(id) }
        let (base, view) = view(of: id)
        return Draft.Operand(node: base, offset: view.offset)
    }

    // MARK: Drafts

    private mutating func emit(_ kernel: Kernel, _ id: Int) {
        let node = nodes[id]
        let operands = node.operands.map { contiguous($0) }
        let meaning = fragment(node.primitive, node.operands.map { nodes[$0].shape }, node.shape)
        append(
            Draft(kernel: kernel, operands: operands, result: id, count: node.shape.count, meaning: meaning))
    }

    private mutating func append(_ draft: Draft) {
        drafts.append(draft)
        guard draft.result < nodes.count else { return }
        materialised[draft.result] = true
        views[draft.result] = (draft.result, View(nodes[draft.result].shape))
    }

    /// A program of one node.
    private func fragment(_ primitive: Primitive, _ operands: [Shape], _ shape: Shape) -> Program {
        var made = operands.enumerated().map { Node(.input("\($0)"), [], $1) }
        made.append(Node(primitive, Array(operands.indices), shape))
        return Program(nodes: made, outputs: [(name: "result", node: operands.count)])
    }

    private func indexing(whole: Shape, _ axis: Int, _ id: Int) -> Indexing {
        Indexing(
            outer: whole.dims.prefix(axis).reduce(1, *), axis: whole[axis],
            inner: whole.dims.dropFirst(axis + 1).reduce(1, *), indices: nodes[Int(nodes[id].b)].shape.count)
    }

    private mutating func emitReduction(_ id: Int) {
        let node = nodes[id]
        let operand = Int(node.a)
        if nodes[operand].isFill { materialise(operand) }
        let (dims, result) = (nodes[operand].shape.dims, node.shape.dims)
        var chain = chain(root: operand, copies: !fusion.isInlined[operand])
        func walk(_ axes: [Int]) -> Walk {
            Walk(
                dims: axes.map { dims[$0] },
                strides: chain.loads.map { load in axes.map { load.view.strides[$0] } })
        }
        let reduction = Reduction(
            kind: node.primitive == .reduceSum ? .sum : .max, expression: chain.expression,
            constants: chain.constants, kept: walk(dims.indices.filter { result[$0] == dims[$0] }),
            reduced: walk(dims.indices.filter { result[$0] != dims[$0] }))
        // Terms come result by result.
        for index in chain.meaning.indices {
            chain.meaning[index].shape = [reduction.count, reduction.terms]
        }
        let total = Node(node.primitive, [chain.root], [reduction.count, 1])
        append(
            Draft(
                kernel: .reduce(reduction), operands: chain.operands, result: id, count: node.shape.count,
                meaning: Program(
                    nodes: chain.meaning + [total], outputs: [(name: "result", node: chain.meaning.count)])))
    }

    /// One fused step that computes `root` with what is inlined into it, or copies it out of its view.
    private mutating func appendElementwise(root: Int, result: Int, copies: Bool) {
        let shape = nodes[root].shape
        let first = copies ? nil : fusion.product[root]
        var chain = chain(root: root, copies: copies, after: first?.operand)
        let elementwise = Elementwise(
            expression: chain.expression, constants: chain.constants,
            walk: Walk(dims: shape.dims, strides: chain.loads.map(\.view.strides)))
        var kernel = Kernel.elementwise(elementwise), operands = chain.operands
        if let first {
            // The product is the chain's first operand: it is computed here instead of read.
            let node = nodes[first.id]
            kernel = product(first.id, epilogue: elementwise)
            operands = node.operands.map { contiguous($0) } + operands.dropFirst()
            chain.computeFirst(node, node.operands.map { nodes[$0].shape })
        }
        append(
            Draft(
                kernel: kernel, operands: operands, result: result, count: shape.count,
                meaning: Program(nodes: chain.meaning, outputs: [(name: "result", node: chain.root)])))
    }

    // MARK: Chains

    /// A node with what is inlined into it.
    private struct Chain {
        var expression = Expression()
        var constants: [Double] = []
        var loads: [(base: Int, view: View, meaning: Int)] = []
        /// The same as a program: a node for every operand and operation, and the last one's index.
        var meaning: [Node] = []
        var root = 0

        var operands: [Draft.Operand] { loads.map { Draft.Operand(node: $0.base, offset: $0.view.offset) } }

        /// Replaces the first operand by the product of two others, which come before the rest.
        mutating func computeFirst(_ product: Node, _ shapes: [Shape]) {
            var made = shapes.enumerated().map { Node(.input("\($0)"), [], $1) }
            made.append(Node(product.primitive, Array(0..<shapes.count), product.shape))
            if product.shape != meaning[0].shape {
                made.append(Node(.reshape, [shapes.count], meaning[0].shape))
            }
            let shift = made.count - 1
            made += meaning.dropFirst().map { node in
                if case .input(let name) = node.primitive {
                    return Node(.input("\(Int(name)! + shapes.count - 1)"), [], node.shape)
                }
                return Node(node.primitive, node.operands.map { $0 + shift }, node.shape)
            }
            meaning = made
            root += shift
        }
    }

    /// The chain that ends at `root`. If it is the epilogue of a product, that is its first operand.
    private mutating func chain(root: Int, copies: Bool, after product: Int? = nil) -> Chain {
        let shape = nodes[root].shape
        var chain = Chain()
        /// For every node of the chain its term, and its node in the step's meaning.
        var known: [Int: (term: Int, meaning: Int)] = [:]
        func mean(_ node: Node) -> Int {
            chain.meaning.append(node)
            return chain.meaning.count - 1
        }

        if let product {
            chain.loads.append((product, View(shape), mean(Node(.input("0"), [], shape))))
            known[product] = (chain.expression.append(.load(0)), 0)
        }
        // Depth first with a stack of our own: chains may be long.
        var stack = [(id: root, isReady: false)]
        while let (id, isReady) = stack.popLast() {
            if known[id] != nil { continue }
            let node = nodes[id]
            let computes = node.primitive.isElementwise && (id == root ? !copies : fusion.isInlined[id])
            if computes && !isReady {
                stack.append((id, true))
                for operand in node.operands.reversed() { stack.append((operand, false)) }
            } else if computes {
                let operands = node.operands.map { known[$0]! }
                known[id] = (
                    chain.expression.append(term(node.primitive, operands.map(\.term))),
                    mean(Node(node.primitive, operands.map(\.meaning), shape))
                )
            } else if case .constant(.fill(let value)) = node.primitive, !(copies && materialised[id]) {
                let bits = value.bitPattern
                let index = chain.constants.firstIndex { $0.bitPattern == bits } ?? chain.constants.count
                if index == chain.constants.count { chain.constants.append(value) }
                known[id] = (
                    chain.expression.append(.constant(index)), mean(Node(node.primitive, [], shape))
                )
            } else {
                let (base, view) = view(of: id)
                var index = chain.loads.firstIndex { $0.base == base && $0.view == view } ?? -1
                if index < 0 {
                    index = chain.loads.count
                    chain.loads.append((base, view, mean(Node(.input("\(index)"), [], shape))))
                }
                known[id] = (chain.expression.append(.load(index)), chain.loads[index].meaning)
            }
        }
        chain.root = known[root]!.meaning
        return chain
    }

    private func term(_ primitive: Primitive, _ t: [Int]) -> Expression.Term {
        switch primitive {
        case .add: .add(t[0], t[1])
        case .mul: .mul(t[0], t[1])
        case .greater: .greater(t[0], t[1])
        case .select: .select(t[0], t[1], t[2])
        case .elementwise(let function): .function(function, t[0])
        default: preconditionFailure("\(primitive.name) is not elementwise")
        }
    }
}
