// SPDX-License-Identifier: Apache-2.0
/// Limited-memory BFGS (Liu and Nocedal 1989) with a backtracking line search, in Double and in one fixed
/// order, so that equal gradients give equal steps on every machine.
package struct LBFGS {
  /// Remembered pairs of steps and gradient changes.
  package var memory: Int
  /// Iterations at the most.
  package var maxIterations: Int
  /// Stops when the largest component of the gradient is below this.
  package var tolerance: Double

  /// Settings, the usual ones if not given.
  package init(memory: Int = 10, maxIterations: Int = 150, tolerance: Double = 1e-4) {
    (self.memory, self.maxIterations, self.tolerance) = (memory, maxIterations, tolerance)
  }

  /// The minimiser found from `start`; `evaluate` gives value and gradient.
  package func minimize(
    from start: [Double], _ evaluate: ([Double]) throws -> (value: Double, gradient: [Double])
  ) rethrows -> [Double] {
    var x = start
    var (value, gradient) = try evaluate(x)
    var pairs: [(s: [Double], y: [Double], rho: Double)] = []
    for _ in 0..<maxIterations {
      guard gradient.contains(where: { Swift.abs($0) > tolerance }) else { break }
      var direction = descent(gradient, pairs)
      var slope = dot(direction, gradient)
      if !(slope < 0) {
        pairs.removeAll()
        direction = gradient.map { -$0 }
        slope = dot(direction, gradient)
      }
      // The first step has no curvature to go by: start at unit length.
      var step = pairs.isEmpty ? 1 / dot(gradient, gradient).squareRoot() : 1
      var accepted: (x: [Double], value: Double, gradient: [Double])?
      for _ in 0..<30 {
        let candidate = zip(x, direction).map { $0 + step * $1 }
        let (newValue, newGradient) = try evaluate(candidate)
        if newValue <= value + 1e-4 * step * slope {
          accepted = (candidate, newValue, newGradient)
          break
        }
        step *= 0.5
      }
      guard let next = accepted else { break }
      let s = zip(next.x, x).map { $0 - $1 }
      let y = zip(next.gradient, gradient).map { $0 - $1 }
      let curvature = dot(s, y)
      if curvature > 1e-12 * dot(y, y) {
        pairs.append((s, y, 1 / curvature))
        if pairs.count > memory { pairs.removeFirst() }
      }
      (x, value, gradient) = (next.x, next.value, next.gradient)
    }
    return x
  }

  /// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
  private func descent(
    _ gradient: [Double], _ pairs: [(s: [Double], y: [Double], rho: Double)]
  ) -> [Double] {
    var q = gradient
    var alphas: [Double] = []
    for pair in pairs.reversed() {
      let alpha = pair.rho * dot(pair.s, q)
      alphas.append(alpha)
      for i in q.indices { q[i] -= alpha * pair.y[i] }
    }
    if let last = pairs.last {
      let scale = 1 / (last.rho * dot(last.y, last.y))
      for i in q.indices { q[i] *= scale }
    }
    for (pair, alpha) in zip(pairs, alphas.reversed()) {
      let beta = pair.rho * dot(pair.y, q)
      for i in q.indices { q[i] += (alpha - beta) * pair.s[i] }
    }
    return q.map { -$0 }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }
}
