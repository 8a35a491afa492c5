// ML-KEM-768 (FIPS 203): key generation, encapsulation and decapsulation.
import Crypto
import Measure

measure {
  let key = try MLKEM768.PrivateKey()
  let publicKey = key.publicKey
  let sent = try publicKey.encapsulate()
  return [
    Operation("keygen") { try MLKEM768.PrivateKey().publicKey.rawRepresentation.count == 1184 },
    Operation("encapsulate") { try publicKey.encapsulate().encapsulated.count == 1088 },
    Operation("decapsulate") { try key.decapsulate(sent.encapsulated) == sent.sharedSecret },
  ]
}
