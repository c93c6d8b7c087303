import ArgumentParser

/// The neural tangent kernel: as a matrix, and what else it is asked for.
struct NTKCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ntk", abstract: "The neural tangent kernel of a network between samples.",
        discussion: """
            Examples:
              landscape ntk --model m.yaml --weights w.safetensors --inputs x.npy --kind trace --output k.npy --json
              landscape ntk --model cnn --data digits:test:100 --kind full --plan
              landscape ntk --model m.yaml --inputs x.npy --memory 2GB --output k.npy     (again, if it was killed)
              landscape ntk --model m.yaml --inputs more.npy --append k.npy --output k2.npy
              landscape ntk --model m.yaml --inputs x.npy --infinite --output limit.npy
              landscape ntk spectrum --model m.yaml --weights w.safetensors --data mnist:train --top 20
              landscape ntk project --model m.yaml --inputs x.npy --dimensions 512 --output g.npy --gram k.npy
              landscape ntk regress --model m.yaml --data digits:train:300 --test-data digits:test:200 --ridge 0.001

            Without a subcommand the kernel is computed as a matrix: `landscape ntk kernel --help` lists the options.
            """,
        subcommands: [
            KernelCommand.self, KernelSpectrumCommand.self, ProjectCommand.self, RegressCommand.self,
        ],
        defaultSubcommand: KernelCommand.self)
}
