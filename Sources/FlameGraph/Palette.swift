import Glibc
import ProfileModel

/// An sRGB colour.
package struct Colour: Hashable, Sendable {
  package var red: UInt8
  package var green: UInt8
  package var blue: UInt8

  /// As SVG wants it: `#f0a875`.
  package var hex: String {
    [red, green, blue].reduce(into: "#") { text, channel in
      text += (channel < 16 ? "0" : "") + String(channel, radix: 16)
    }
  }

  /// A colour of the Oklab space in polar form: equal lightness looks equally light in every
  /// hue. Formulas and matrices: Björn Ottosson, "A perceptual color space for image processing".
  ///
  /// - Parameter hue: In degrees. Channels outside sRGB are clipped.
  package init(lightness: Double, chroma: Double, hue: Double) {
    let a = chroma * cos(hue * .pi / 180)
    let b = chroma * sin(hue * .pi / 180)
    func cubed(_ x: Double) -> Double { x * x * x }
    let long = cubed(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b)
    let medium = cubed(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b)
    let short = cubed(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b)
    func channel(_ linear: Double) -> UInt8 {
      let c = linear <= 0.003_130_8 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055
      return UInt8((min(max(c, 0), 1) * 255).rounded())
    }
    red = channel(4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short)
    green = channel(-1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short)
    blue = channel(-0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short)
  }
}

/// Colours of a flame graph. Each depends on names alone, so it is the same in every run, on
/// every machine and in both sides of a differential, and is light enough for black text.
package enum Palette {
  /// The root, processes and threads.
  package static let ground = Colour(lightness: 0.9, chroma: 0.012, hue: 250)
  /// What is no code: markers and merged boxes.
  package static let grey = Colour(lightness: 0.8, chroma: 0, hue: 0)

  /// What a picture is about shows in its colours.
  package enum Scheme: Sendable {
    /// All hues; those of fire without a module.
    case time
    /// Green, as in heaptrack and other tools that draw memory.
    case memory
  }

  /// Hue by module, shade by name. Without a module (folded stacks) the hue is by name too.
  package static func fill(of frame: FlameFrame, _ scheme: Scheme = .time) -> Colour {
    switch frame.kind {
    case .all, .process, .thread: return ground
    case .marker: return grey
    case .code: break
    }
    let shade = unit(of: frame.name)
    guard !frame.module.isEmpty else {
      let hue = scheme == .time ? 40 + 55 * shade : 130 + 35 * shade
      return Colour(lightness: 0.78 + 0.07 * shade, chroma: 0.11, hue: hue)
    }
    // Three steps of lightness keep neighbours of one module apart.
    return Colour(
      lightness: 0.76 + 0.045 * (3 * shade).rounded(.down), chroma: 0.07 + 0.035 * shade,
      hue: hue(ofModule: frame.module, scheme) + 16 * (shade - 0.5))
  }

  /// Red for growth, blue for the contrary, by the number of doublings; full from one on.
  package static func change(_ doublings: Double) -> Colour {
    let strength = min(abs(doublings), 1)
    guard strength > 0 else { return Colour(lightness: 0.94, chroma: 0.004, hue: 90) }
    return Colour(
      lightness: 0.9 - 0.16 * strength, chroma: 0.03 + 0.1 * strength,
      hue: doublings > 0 ? 25 : 250)
  }

  /// The colour that stands for a module in the legend.
  package static func legend(ofModule module: String, _ scheme: Scheme = .time) -> Colour {
    Colour(lightness: 0.81, chroma: 0.095, hue: hue(ofModule: module, scheme))
  }

  /// In degrees.
  private static func hue(ofModule path: String, _ scheme: Scheme) -> Double {
    let place = unit(of: Profile.basename(path))
    return scheme == .time ? 360 * place : 130 + 70 * place
  }

  /// A number from 0 up to 1 by the 64-bit FNV-1a hash of a name. The multiplication spreads the
  /// last letters, which FNV leaves in the low bits, over the high ones.
  private static func unit(of name: String) -> Double {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Double((hash &* 0x9e37_79b9_7f4a_7c15) >> 11) * 0x1p-53
  }
}

extension Double {
  var binaryLogarithm: Double { log2(self) }
}
