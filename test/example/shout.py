# shout: answers in capitals. rusm node --name london --boot 'shout=exec+json:python3 shout.py'
import json, sys
for line in sys.stdin:
    news = json.loads(line)
    if "ref" in news: print(json.dumps({"reply": news["ref"], "data": news["data"].upper()}))
