/** Field `flows`: a Flow changed its status, or its endpoint is slow, failing or away. The whole change is one event. */
import { changeBase, type ParseChange } from "./change-context.ts";
import { asId, asText } from "./wire.ts";

export const parseFlow: ParseChange = (value, change) => {
  const event = asText(value.event);
  if (event === null) return [];
  // An alert has a state where a change of status has a new status.
  const status = asText(value.new_status) ?? asText(value.alert_state);
  return [{ kind: "flow", flowId: asId(value.flow_id), event, status, ...changeBase(change) }];
};
