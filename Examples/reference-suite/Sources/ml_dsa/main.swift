// ML-DSA-65 (FIPS 204): signing and verifying a short message.
import Crypto
import Foundation
import Measure

measure {
  let key = try MLDSA65.PrivateKey()
  let publicKey = key.publicKey
  let message = Data("qprof reference suite".utf8)
  let signature = try key.signature(for: message)
  return [
    Operation("sign") { try key.signature(for: message).count == signature.count },
    Operation("verify") { publicKey.isValidSignature(signature, for: message) },
  ]
}
