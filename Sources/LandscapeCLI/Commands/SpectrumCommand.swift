import ArgumentParser

/// Spectra of curvature matrices.
struct SpectrumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract:
            "Eigenvalues, trace and spectral density of Hessian, Gauss-Newton and Fisher matrices, with error bars.",
        subcommands: [MeasureCommand.self, TrackCommand.self], defaultSubcommand: MeasureCommand.self)
}
