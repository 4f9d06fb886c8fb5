import type { Api } from "./api.ts";

export interface InitProducerIdResponse {
  errorCode: number;
  producerId: number;
  producerEpoch: number;
}

/**
 * InitProducerId (key 22) version 1, https://kafka.apache.org/protocol#The_Messages_InitProducerId
 * Without a transactional id: for idempotence alone.
 *
 *     request  => transactional_id ?string, transaction_timeout_ms int32
 *     response => throttle_time_ms int32, error_code int16, producer_id int64, producer_epoch int16
 */
export const initProducerId: Api<null, InitProducerIdResponse> = {
  name: "InitProducerId",
  key: 22,
  version: 1,
  encode(writer) {
    writer.nullableString(null).int32(0);
  },
  decode(reader) {
    reader.throttleTime();
    return {
      errorCode: reader.int16(),
      producerId: reader.int64(),
      producerEpoch: reader.int16(),
    };
  },
};
