import ArgumentParser

/// Spectra of curvature matrices.
struct SpectrumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract:
            "Eigenvalues, trace and spectral density of Hessian, Gauss-Newton and Fisher matrices, with error bars.",
        discussion: """
            Examples:
              landscape spectrum --model m.yaml --weights w.safetensors --inputs x.npy --labels y.npy --top 5 --json
              landscape spectrum --model cnn --data digits:train:500 --top 10 --which BE --trace ±1% --density --output runs/s
              landscape spectrum --model cnn --data digits:train:500 --operator ggn --per-layer
              landscape spectrum track --run runs/standard --data digits:train:500 --output runs/track

            Without a subcommand one network is measured: `landscape spectrum measure --help` lists the options.
            """,
        subcommands: [MeasureCommand.self, TrackCommand.self], defaultSubcommand: MeasureCommand.self)
}
