import ArgumentParser
import Backend
import Foundation

/// The command: arguments in, library calls, files out.
@main struct Landscape: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "landscape",
        abstract: "Measures the geometry of neural-network loss landscapes, on any OpenCL device or the CPU.",
        discussion: """
            Train a network, follow its neural tangent kernel, get Hessian spectra with error bars, and compare the \
            flatness of networks. Bring your own data (.npy, IDX, CIFAR binaries) and weights (.safetensors, as \
            PyTorch saves them); take away arrays that NumPy opens, figures and a report.

            Start with `landscape quickstart`, then see `landscape help <subcommand>`.
            """,
        version: "0.1.0",
        subcommands: [
            DevicesCommand.self, TrainCommand.self, EvaluateCommand.self, NTKCommand.self,
            SpectrumCommand.self,
            SliceCommand.self, SelfTestCommand.self, BenchCommand.self, TuneCommand.self,
            QuickstartCommand.self,
        ])

    /// Runs the command. A result that cannot be written, for example to a full disk, is a failure.
    static func main() {
        Notice.listen(once: true) { Console.note($0) }
        do {
            var command = try parseAsRoot()
            try command.run()
            try Profiling.end()
            if fflush(nil) != 0 {
                throw CommandError("the output cannot be written: \(String(cString: strerror(errno)))")
            }
        } catch {
            exit(withError: error)
        }
    }
}
