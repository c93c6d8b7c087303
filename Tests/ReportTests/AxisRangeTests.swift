import Testing

@testable import Report

@Suite struct AxisRangeTests {
    @Test func equalValuesGetRoom() {
        #expect(AxisRange.padded(3, 3, isLogarithmic: false, padding: 0.1) == 2.7...3.3)
        #expect(AxisRange.padded(0, 0, isLogarithmic: false, padding: 0.1) == -1...1)
        let log = AxisRange.padded(10, 10, isLogarithmic: true, padding: 0.1)
        #expect(log.lowerBound < 10 && log.upperBound > 10)
    }

    @Test func extremeValuesStayFinite() {
        for isLogarithmic in [false, true] {
            let low = isLogarithmic ? Double.leastNonzeroMagnitude : -Double.greatestFiniteMagnitude
            let range = AxisRange.padded(
                low, .greatestFiniteMagnitude, isLogarithmic: isLogarithmic, padding: 0.05)
            #expect(range.lowerBound.isFinite && range.upperBound.isFinite)
            _ = AxisRange.niceSteps(range, count: 6)
            if isLogarithmic { #expect(AxisRange.niceRatios(range, count: 6).count < 12) }
        }
    }

    @Test func narrowRangesFarFromZeroHaveTicks() {
        let steps = AxisRange.niceSteps(1e15...1e15 + 8, count: 5)
        #expect(!steps.isEmpty)
        #expect(AxisRange.niceSteps(1e300...1.0000001e300, count: 5).count <= 50)
    }

    @Test func ticksAreNice() {
        #expect(AxisRange.niceSteps(-0.02...1.02, count: 5) == [0, 0.2, 0.4, 0.6, 0.8, 1])
        #expect(AxisRange.niceSteps(0.05...0.35, count: 3) == [0.1, 0.2, 0.3])
        #expect(AxisRange.niceRatios(0.9...110, count: 8) == [1, 2, 5, 10, 20, 50, 100])
        #expect(AxisRange.niceRatios(1e-6...2e6, count: 6).count < 9)
        #expect(AxisRange.niceRatios(20...40, count: 5).count >= 3)
    }

    @Test func axisSkipsWhatItCannotShow() {
        let axis = Axis("a", isLogarithmic: true)
        let range = AxisRange.fitting([-1, 0, .nan, .infinity, 10, 1000], axis: axis, padding: 0)
        #expect(range.map { abs($0.lowerBound - 10) < 1e-9 && abs($0.upperBound - 1000) < 1e-6 } == true)
        #expect(AxisRange.fitting([0], axis: axis, padding: 0) == nil)
    }
}
