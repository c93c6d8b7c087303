import Report
import Testing

@Suite struct NumbersTests {
    @Test(arguments: [
        (0.0, 3, "0"), (1.0, 3, "1.00"), (1234.5678, 6, "1234.57"), (1234.5678, 3, "1235"),
        (0.00012345, 3, "0.000123"),
        (0.000012345, 3, "1.23e-05"), (9.999, 3, "10.0"), (999_999, 6, "999999"),
        (999_999.9, 6, "1.00000e+06"),
        (-2.5, 2, "-2.5"), (.nan, 3, "nan"), (-.infinity, 3, "-inf"), (1e300, 2, "1.0e+300"),
    ])
    func significant(_ value: Double, _ digits: Int, _ text: String) {
        #expect(formatSignificant(value, digits: digits) == text)
    }

    @Test(arguments: [
        (41.2345, 0.123, "41.23 ± 0.12"), (1234.5, 12, "1234 ± 12"), (0.5, 0.0996, "0.50 ± 0.10"),
        (1.2345e-7, 2e-9, "(1.235 ± 0.020)e-07"), (1.5e9, 1e7, "(1.500 ± 0.010)e+09"),
        (0, 0.1, "0.00 ± 0.10"),
        (2, 0, "2.00000 ± 0"), (1, .nan, "1.00 ± nan"), (5, 100, "5 ± 100"),
    ])
    func withError(_ value: Double, _ error: Double, _ text: String) {
        #expect(formatWithError(value, error: error) == text)
    }

    @Test(arguments: [
        (0, "0 s"), (3e-9, "3.00 ns"), (412e-6, "412 µs"), (0.0123, "12.3 ms"), (0.99999, "1.00 s"),
        (3.456, "3.46 s"),
        (99.99, "1 min 40 s"), (125.2, "2 min 05 s"), (3599.7, "1 h 00 min"), (3725, "1 h 02 min"),
        (-2, "-2.00 s"),
        (.infinity, "inf"),
    ])
    func seconds(_ value: Double, _ text: String) {
        #expect(formatSeconds(value) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1_610_612_736, "1.50 GiB"),
        (1_048_000, "1023 KiB"),
        (1_048_500, "1.00 MiB"), (Int.max, "8.00 EiB"),
    ])
    func bytes(_ value: Int, _ text: String) {
        #expect(formatBytes(value) == text)
    }
}
